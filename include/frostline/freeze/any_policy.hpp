// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <functional>
#include <string>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A policy chosen at run time.
class any_policy {
public:
    template <freezing_policy Policy>
    any_policy(std::string name, Policy policy) : name_(std::move(name)), ask_(std::move(policy)) {}

    const std::string& name() const { return name_; }
    std::size_t operator()(const training_view& view) const { return ask_(view); }

private:
    std::string name_;
    std::function<std::size_t(const training_view&)> ask_;
};

}  // namespace frostline
