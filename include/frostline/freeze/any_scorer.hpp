// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"

#include <any>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// A scorer chosen at run time. Copies share no state.
template <class T>
class any_scorer {
    using state_visitor = std::function<void(std::string_view, std::vector<double>&)>;

public:
    template <scorer<T> Scorer>
    any_scorer(std::string name, Scorer chosen)
        : observes(chosen.observes),
          name_(std::move(name)),
          held_(std::move(chosen)),
          ask_([](std::any& held, const block_view<T>& view) -> std::optional<double> {
              return (*std::any_cast<Scorer>(&held))(view);
          }),
          visit_([](std::any& held, const state_visitor& visit) {
              for_each_state_of<T>(*std::any_cast<Scorer>(&held), visit);
          }) {}

    const std::string& name() const { return name_; }
    std::optional<double> operator()(const block_view<T>& view) { return ask_(held_, view); }

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit_(held_, visit);
    }

    observations observes;

private:
    std::string name_;
    std::any held_;
    std::optional<double> (*ask_)(std::any&, const block_view<T>&);
    void (*visit_)(std::any&, const state_visitor&);
};

}  // namespace frostline
