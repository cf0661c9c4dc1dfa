// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <chrono>

namespace frostline::inline FROSTLINE_ISA {

/// Seconds since it was made.
class stopwatch {
public:
    /// @param already  seconds to go on from
    explicit stopwatch(double already = 0) : already_(already) {}

    double seconds() const { return already_ + std::chrono::duration<double>(clock::now() - start_).count(); }

    /// These are not counted.
    void leave_out(double seconds) { already_ -= seconds; }

private:
    using clock = std::chrono::steady_clock;

    double already_;
    clock::time_point start_ = clock::now();
};

}  // namespace frostline
