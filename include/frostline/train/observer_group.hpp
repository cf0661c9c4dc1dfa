// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/within.hpp"

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace frostline::inline FROSTLINE_ISA {

/// Whether an observer is told in every process of a run, by a member `in_every_process` that is true: one
/// that ends the run does not care in which of them it is asked to.
template <class Observer>
inline constexpr bool listens_in_every_process = requires { requires Observer::in_every_process; };

/// The observers of a run, which are told everything in the order in which they were given.
template <class... Observers>
class observer_group {
public:
    explicit observer_group(Observers&... observers) : observers_(observers...) {}

    /// Whether all of them are told: of the processes of a run, one tells.
    void listen(bool listens) { listens_ = listens; }

    template <class Event>
    void tell(const Event& event) {
        const auto tell_one = [&](auto& observer) {
            if (listens_ || listens_in_every_process<std::remove_cvref_t<decltype(observer)>>)
                notify(observer, event);
        };
        std::apply([&](auto&... each) { (tell_one(each), ...); }, observers_);
    }

    /// For checkpoints.
    template <class Visitor>
    void for_each_state(Visitor& visit) {
        if (!listens_) return;
        std::size_t number = 0;
        const auto visit_observer = [&](auto& observer) {
            const auto visit_here = within(sentence("observer.", number++), visit);
            if constexpr (requires { observer.for_each_state(visit_here); })
                observer.for_each_state(visit_here);
        };
        std::apply([&](auto&... each) { (visit_observer(each), ...); }, observers_);
    }

private:
    std::tuple<Observers&...> observers_;
    bool listens_ = true;
};

}  // namespace frostline
