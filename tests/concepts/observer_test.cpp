// SPDX-License-Identifier: MIT
#include "frostline/concepts/observer.hpp"

#include "support/catch.hpp"

#include <string>

using namespace frostline;

namespace {

struct counts_steps {
    int steps = 0;
    void operator()(const step_finished&) { ++steps; }
};
struct takes_two {
    std::string told{};
    void operator()(const run_started&) { told += 's'; }
    void operator()(const run_finished&) { told += 'f'; }
};
struct takes_all {
    template <class Event>
    void operator()(const Event&) {}
};
struct wants_to_change_events {
    void operator()(step_finished&) {}
};
struct takes_numbers {
    void operator()(const std::string&) {}
};
constexpr auto on_epoch = [](const epoch_finished&) {};

static_assert(observer<counts_steps> && observer<takes_two> && observer<takes_all>);
static_assert(observer<decltype(on_epoch)>);
static_assert(observer<void (*)(const decision_taken&)> && observer<void (*)(const frost_line_moved&)>);
static_assert(!observer<const counts_steps>);
static_assert(!observer<wants_to_change_events>);
static_assert(!observer<takes_numbers>);
static_assert(!observer<int>);

}  // namespace

TEST_CASE("an observer is notified of the events it takes, and others pass it by") {
    counts_steps steps;
    takes_two two;
    const auto tell_all = [](auto& target) {
        notify(target, run_started{});
        notify(target, step_finished{});
        notify(target, step_finished{});
        notify(target, epoch_finished{});
        notify(target, decision_taken{});
        notify(target, frost_line_moved{});
        notify(target, run_finished{});
    };
    tell_all(steps);
    tell_all(two);
    CHECK(steps.steps == 2);
    CHECK(two.told == "sf");
}

TEST_CASE("the saved shares of a finished run are 1 minus the ratio to the full run") {
    const run_finished run{
        .forward_flops = 60, .forward_flops_full = 80, .backward_flops = 30, .backward_flops_full = 120};
    CHECK(run.forward_flops_saved() == 0.25);
    CHECK(run.training_flops_saved() == 1 - 90.0 / 200);
    CHECK(run_finished{}.forward_flops_saved() == 0);
    CHECK(run_finished{}.training_flops_saved() == 0);
}
