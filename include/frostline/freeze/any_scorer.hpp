// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"

#include <functional>
#include <string>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A scorer chosen at run time.
template <class T>
class any_scorer {
public:
    template <scorer<T> Scorer>
    any_scorer(std::string name, Scorer chosen)
        : observes(chosen.observes), name_(std::move(name)), ask_(std::move(chosen)) {}

    const std::string& name() const { return name_; }
    std::optional<double> operator()(const block_view<T>& view) { return ask_(view); }

    observations observes;

private:
    std::string name_;
    std::function<std::optional<double>(const block_view<T>&)> ask_;
};

}  // namespace frostline
