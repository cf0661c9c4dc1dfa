// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/parallel.hpp"

/// Sets the number of threads for one scope.
class with_threads {
public:
    explicit with_threads(int count) { frostline::set_threads(count); }
    with_threads(const with_threads&) = delete;
    with_threads& operator=(const with_threads&) = delete;
    ~with_threads() { frostline::set_threads(before_); }

private:
    int before_ = frostline::threads();
};
