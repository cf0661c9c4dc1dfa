// SPDX-License-Identifier: MIT
#include "frostline/freeze/thawing.hpp"

#include "frostline/freeze/policies/freeze_out.hpp"
#include "frostline/freeze/policies/gradual_thaw.hpp"
#include "frostline/freeze/policies/head_only.hpp"
#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/freeze/policies/linear_schedule.hpp"
#include "frostline/freeze/predicates.hpp"
#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;
using numbers = std::vector<std::size_t>;

namespace {

const auto calm = when::patience(2, when::below(1));

struct meant {
    static constexpr const char* scorer = "mine";
    std::size_t operator()(const training_view&) const { return 0; }
};

traces::run still(std::size_t decisions) {
    return {.scores = traces::trace(decisions, decision_scores(4, 0.0))};
}

}  // namespace

TEST_CASE("a tenfold drop of the learning rate thaws, and the policy starts anew") {
    auto run = still(9);
    run.learning_rates = {0.1, 0.1, 0.1, 0.02, 0.1 * 0.1, 0.01, 0.01, 0.002, 0.001};
    CHECK(leading(thaw_on(when::rate_drops{10}, freeze_prefix(calm)), run) ==
          numbers{0, 3, 3, 3, 0, 0, 3, 3, 0});
    CHECK(leading(thaw_on(when::rate_drops{5}, freeze_prefix(calm)), run) ==
          numbers{0, 3, 3, 0, 0, 3, 3, 0, 0});
    CHECK(leading(thaw_on(when::rate_drops{1e6}, freeze_prefix(calm)), run) ==
          numbers{0, 3, 3, 3, 3, 3, 3, 3, 3});
}

TEST_CASE("a drop of the learning rate is one from its highest, also where it rises first") {
    auto run = still(8);
    run.learning_rates = {0.0, 0.004, 0.1, 0.04, 0.01, 0.002, 0.002, 0.001};
    CHECK(leading(thaw_on(when::rate_drops{10}, freeze_prefix(calm)), run) ==
          numbers{0, 3, 3, 3, 0, 0, 3, 0});
}

TEST_CASE("a rise of the training loss thaws, and later losses are compared with those since") {
    auto run = still(8);
    run.train_losses = {2.0, 1.0, 1.4, 3.0, 2.5, 2.5, 2.6, 4.0};
    CHECK(leading(thaw_on(when::loss_rises{1.5}, freeze_prefix(calm)), run) ==
          numbers{0, 3, 3, 0, 0, 3, 3, 0});
}

TEST_CASE("a policy that thaws says so, and for which scorer it is meant") {
    const thaw_on policy(when::rate_drops{}, meant{});
    CHECK(may_thaw(policy));
    CHECK(scorer_of(policy) == "mine");
    const end_resume resumed(policy);
    CHECK(may_thaw(resumed));
    CHECK(scorer_of(resumed) == "mine");
    CHECK(scorer_of(linear_schedule{}).empty());
    CHECK_FALSE(may_thaw(linear_schedule{}));
}

TEST_CASE("end_resume thaws everything for the last share of the run, at a low rate") {
    const end_resume policy(linear_schedule{.start = 0, .end = 0.5}, 0.2, 0.25);
    CHECK(leading(policy, still(10)) == numbers{0, 1, 1, 2, 3, 3, 3, 0, 0, 0});
    for (std::size_t step = 0; step < 20; ++step)
        CHECK(policy.learning_rate({.step = step, .steps = 20, .rate = 0.4}) == (step < 16 ? 0.4 : 0.1));
}

TEST_CASE("end_resume thaws before the last share begins where that is between two decisions") {
    const end_resume policy(linear_schedule{.start = 0, .end = 0.5}, 0.1, 0.25);
    CHECK(leading(policy, still(8)) == numbers{0, 1, 2, 3, 3, 3, 0, 0});
    CHECK(leading(end_resume(linear_schedule{.start = 0, .end = 0.5}, 0.3), still(8)) ==
          numbers{0, 1, 2, 3, 0, 0, 0, 0});
}

TEST_CASE("end_resume freezes nothing at the start of a run whose first epoch it covers") {
    const training_view start{.epochs = 4, .blocks = 5, .last_freezable = 4, .steps = 40};
    CHECK(frozen_at_start(end_resume(head_only{}, 0.5), start) == 4);
    CHECK(frozen_at_start(end_resume(head_only{}, 0.95), start) == 0);
    CHECK(frozen_at_start(end_resume(head_only{}, 1), start) == 0);
}

TEST_CASE("end_resume gives blocks whose rate had fallen to zero that of the schedule") {
    const freeze_out inner{.first = 0.2, .scaled = false};
    const rate_view now{.block = 0, .blocks = 4, .step = 9, .steps = 10, .rate = 0.4, .peak_rate = 1};
    REQUIRE(inner.learning_rate(now) == 0);
    CHECK(end_resume(inner, 0.2, 0.25).learning_rate(now) == 0.1);
}

TEST_CASE("end_resume multiplies the rates that its policy sets") {
    const freeze_out inner{.first = 1, .scaled = false};
    const end_resume policy(inner, 0.5, 0.5);
    for (std::size_t step = 0; step < 10; ++step) {
        const rate_view now{.blocks = 2, .step = step, .steps = 10, .rate = 7, .peak_rate = 1};
        CHECK(policy.learning_rate(now) == inner.learning_rate(now) * (step < 5 ? 1 : 0.5));
    }
}

TEST_CASE("a rise of the head's score thaws, whatever the scores of other blocks do") {
    auto run = still(7);
    const std::vector<std::optional<double>> head{0.4, 0.2, std::nullopt, 0.5, 0.7, 0.8, 2.0};
    for (std::size_t i = 0; i < head.size(); ++i) run.scores[i][3] = head[i];
    run.scores[1][0] = 0.5;
    CHECK(leading(thaw_on(when::score_rises{3}, freeze_prefix(calm)), run) == numbers{0, 3, 3, 3, 0, 0, 3});
    CHECK(leading(thaw_on(when::score_rises{1e6}, freeze_prefix(calm)), run) == numbers{0, 3, 3, 3, 3, 3, 3});
}

TEST_CASE("score_rises never holds on a network without learning blocks") {
    const std::vector<decision_scores> none(3);
    CHECK(when::score_rises{}({.scores = none}) == 0);
}

TEST_CASE("head_first lets the head learn alone, then begins its policy anew") {
    const head_first policy(freeze_prefix(calm), 0.3);
    CHECK(may_thaw(policy));
    CHECK(policy.at_start({.blocks = 4, .last_freezable = 3}) == 3);
    CHECK(head_first(head_only{}, 0).at_start({.blocks = 4, .last_freezable = 3}) == 3);
    CHECK(head_first(freeze_prefix(calm), 0).at_start({.blocks = 4, .last_freezable = 3}) == 0);
    // As in a run: frozen from before the first decision, whose scores are those of the head alone.
    auto run = still(10);
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t block = 0; block < 3; ++block) run.scores[i][block] = std::nullopt;
    CHECK(leading(policy, run) == numbers{3, 3, 0, 0, 3, 3, 3, 3, 3, 3});
    CHECK(scorer_of(head_first(meant{})) == "mine");
}

TEST_CASE("head_first knows its share of the run by the steps, not by missing scores") {
    const std::vector<decision_scores> silent(2, decision_scores(4));
    training_view view{
        .epochs = 10, .blocks = 4, .last_freezable = 3, .frozen = 3, .scores = silent, .steps = 100};
    view.step = 80;
    view.first_step = 60;  // what came before is kept no longer
    CHECK(head_first(head_only{}, 0.3)(view) == 3);
    view.step = 40;
    view.first_step = 20;  // the first of the two is still of the head alone
    CHECK(head_first(head_only{}, 0.3)(view) == 3);
    view.step = 30;
    view.first_step = 10;
    CHECK(head_first(head_only{}, 0.3)(view) == 0);
}

TEST_CASE("what a policy freezes at the start stays so when it may thaw later, too") {
    const training_view view{.epochs = 10, .blocks = 5, .last_freezable = 4};
    const learn_and_drop inner{.from_start = 0.4};
    CHECK(frozen_at_start(inner, view) == 2);
    CHECK(frozen_at_start(thaw_on(when::rate_drops{}, inner), view) == 2);
    CHECK(frozen_at_start(end_resume(inner), view) == 2);
    CHECK(frozen_at_start(head_first(gradual_thaw{}, 0), view) == 4);
}

TEST_CASE("a policy that starts anew counts its steps from there") {
    training_view view;
    const std::vector<decision_scores> scores(8, decision_scores(3, 1.0));
    view.scores = scores;
    view.step = 80;
    CHECK(since(view, 0).first_step == 0);
    CHECK(since(view, 2).first_step == 20);
    CHECK(since(view, 2).scores.size() == 6);
    CHECK(since(since(view, 2), 3).first_step == 50);
    CHECK(since(view, 9).first_step == 80);
    view.steps = 160;
    CHECK(since(view, 0).began == 0);
    CHECK(since(view, 2).began == 0.125);
    CHECK(since(since(view, 2), 3).began == 0.3125);
    CHECK(since(view, 9).began == 0.5);
}

TEST_CASE("policies that thaw for a share of the run refuse what is no share") {
    for (const double share : {-0.1, 1.1, std::nan("")}) {
        CHECK_THROWS_AS(end_resume(head_only{}, share), argument_error);
        CHECK_THROWS_AS(head_first(head_only{}, share), argument_error);
    }
    for (const double factor : {-1.0, std::nan("")})
        CHECK_THROWS_AS(end_resume(head_only{}, 0.1, factor), argument_error);
}
