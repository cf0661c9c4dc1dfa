// SPDX-License-Identifier: MIT
#include "frostline/concepts/freezing_policy.hpp"

#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/freeze/policies/linear_schedule.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

// The smallest model, and what is missing a requirement each.
struct one_more {
    std::size_t operator()(const training_view& view) const { return view.frozen + 1; }
};
struct changes_itself {
    std::size_t operator()(const training_view&) { return 0; }
};
struct returns_text {
    std::string operator()(const training_view&) const { return ""; }
};
struct wants_to_change_the_view {
    std::size_t operator()(training_view& view) const { return view.frozen = 0; }
};
struct takes_nothing {
    std::size_t operator()() const { return 0; }
};

constexpr auto half = [](const training_view& view) { return view.last_freezable / 2; };

static_assert(freezing_policy<one_more>);
static_assert(freezing_policy<decltype(half)>);
static_assert(freezing_policy<std::size_t (*)(const training_view&)>);
static_assert(freezing_policy<never> && freezing_policy<linear_schedule> && freezing_policy<learn_and_drop> &&
              freezing_policy<any_policy>);
static_assert(!freezing_policy<changes_itself>);
static_assert(!freezing_policy<returns_text>);
static_assert(!freezing_policy<wants_to_change_the_view>);
static_assert(!freezing_policy<takes_nothing>);
static_assert(!freezing_policy<int>);

template <freezing_policy Policy>
std::size_t answer(const Policy& policy) {
    training_view view;
    view.last_freezable = 6;
    view.frozen = 2;
    return policy(view);
}

}  // namespace

TEST_CASE("the smallest model of a freezing policy and a lambda answer") {
    CHECK(answer(one_more{}) == 3);
    CHECK(answer(half) == 3);
    CHECK(answer(never{}) == 0);
}

TEST_CASE("an unset view is that of a run in which nothing happened") {
    const training_view view{};
    CHECK(view.frozen == 0);
    CHECK(view.last_freezable == 0);
    CHECK(view.scores.empty());
    CHECK(view.train_losses.empty());
    CHECK(view.learning_rates.empty());
    CHECK(view.costs.empty());
}
