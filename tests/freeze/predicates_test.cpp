// SPDX-License-Identifier: MIT
#include "frostline/freeze/predicates.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;
using traces::of_block;

namespace {

constexpr auto none = std::nullopt;

/// Whether a predicate holds for block 0 after each decision, as a word of 0 and 1.
template <class Predicate>
std::string holds(const Predicate& predicate, const traces::trace& scores) {
    std::string word;
    for (std::size_t i = 1; i <= scores.size(); ++i) {
        const traces::trace so_far(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(i));
        const auto view = traces::view_of({.scores = scores}, i, 0, so_far);
        word += predicate(view, std::size_t{0}, i - 1) ? '1' : '0';
    }
    return word;
}

struct counts {
    bool operator()(const training_view&, std::size_t, std::size_t) { return true; }
};
static_assert(block_predicate<decltype(when::below(1))>);
static_assert(!block_predicate<counts>);
static_assert(freezing_policy<decltype(freeze_prefix(when::below(1)))>);
static_assert(freezing_policy<decltype(freeze_each(when::below(1)))>);

}  // namespace

TEST_CASE("below holds for a score under its limit, and never without one") {
    CHECK(holds(when::below(2), of_block({3.0, 2.0, 1.0, none, 1.0})) == "00101");
    CHECK(holds(when::score < 2, of_block({3.0, 2.0, 1.0, none, 1.0})) == "00101");
    CHECK(holds(when::score > 2, of_block({3.0, 2.0, 1.0, none})) == "1000");
}

TEST_CASE("below_peak compares with the highest score so far") {
    CHECK(holds(when::below_peak(0.5), of_block({4.0, 2.0, 1.9, none, 5.0, 2.4, 2.6})) == "0010010");
    CHECK(holds(when::below_peak(0.5, when::smoothed(when::score, 2)), of_block({4.0, 4.0, 0.0, 0.0})) ==
          "0001");
}

TEST_CASE("percentile compares with the other blocks that have a score, but for the head") {
    const auto at = [](double q, decision_scores scores, std::size_t block) {
        const traces::trace all{std::move(scores)};
        return when::percentile(q)(traces::view_of({.scores = all}, 1, 0, all), block, 0);
    };
    const decision_scores scores{1.0, 2.0, 3.0, none, 4.0, 0.0};  // the head's counts for nothing
    // The median is 2.5; the 25th percentile is 1.75.
    CHECK(at(50, scores, 0));
    CHECK(at(50, scores, 1));
    CHECK_FALSE(at(50, scores, 2));
    CHECK_FALSE(at(50, scores, 3));
    CHECK(at(25, scores, 0));
    CHECK_FALSE(at(25, scores, 1));
    CHECK_FALSE(at(0, scores, 0));
    CHECK(at(100, scores, 2));
    CHECK_FALSE(at(100, scores, 4));
}

TEST_CASE("plateau holds while a value stays within its tolerance") {
    CHECK(holds(when::plateau(0.1), of_block({1.0, 1.05, 1.2, 1.25})) == "0101");
}

TEST_CASE("patience counts decisions in a row, patience_in_all those over the whole run") {
    const auto scores = of_block({1.0, 1.0, 3.0, 1.0, none, 1.0, 1.0});
    CHECK(holds(when::patience(2, when::below(2)), scores) == "0100001");
    CHECK(holds(when::patience_in_all(3, when::below(2)), scores) == "0001011");
    CHECK_THROWS_AS(when::patience(0, when::below(2)), argument_error);
}

TEST_CASE("and, or, not join predicates, lambdas among them") {
    const auto low = when::below(2);
    const auto high = when::score > 1;
    const auto scores = of_block({0.5, 1.5, 2.5, none});
    CHECK(holds(low && high, scores) == "0100");
    CHECK(holds(low || high, scores) == "1110");
    CHECK(holds(!low, scores) == "0011");
    const auto late = [](const training_view& view, std::size_t, std::size_t) { return view.epoch > 1; };
    CHECK(holds(low && late, scores) == "0100");
    CHECK(holds(low || late, scores) == "1111");
}

TEST_CASE("a percentile outside 0 to 100 is refused") {
    CHECK_THROWS_AS(when::percentile(-1), argument_error);
    CHECK_THROWS_AS(when::percentile(150), argument_error);
}

TEST_CASE("warm_up holds once its share of the run is over, within an epoch, too") {
    CHECK(holds(when::warm_up(0.4), of_block({1.0, 1.0, 1.0, 1.0, 1.0})) == "01111");
    CHECK(holds(when::warm_up(0.41), of_block({1.0, 1.0, 1.0, 1.0, 1.0})) == "00111");
    const auto over = [](std::size_t step) {
        return when::warm_up(0.07)(training_view{.epochs = 1, .step = step, .steps = 100}, 0, 0);
    };
    CHECK_FALSE(over(6));
    CHECK(over(7));
}

TEST_CASE("keep_active keeps a share of the blocks, rounded up, or a number of them") {
    training_view view;
    view.blocks = 5;
    view.last_freezable = 4;
    const auto kept = when::keep_active(0.3);  // two of five
    CHECK(kept(view, 2, 0));
    CHECK_FALSE(kept(view, 3, 0));
    CHECK_FALSE(when::keep_active(1.0)(view, 0, 0));
    CHECK(when::keep_active(2)(view, 2, 0));
    CHECK_FALSE(when::keep_active(2)(view, 3, 0));
    CHECK_FALSE(when::keep_active(9)(view, 0, 0));
    for (const double share : {-0.1, 1.1})
        CHECK_THROWS_WITH(when::keep_active(share),
                          Catch::Matchers::ContainsSubstring("expected a number from 0 to 1"));
    CHECK_THROWS_WITH(when::keep_active(-1), Catch::Matchers::ContainsSubstring("expected 0 or more"));
}

TEST_CASE("at_most and cool_down pace a prefix") {
    const traces::run calm{.scores = traces::trace(6, decision_scores(6, 0.0))};
    using numbers = std::vector<std::size_t>;
    CHECK(leading(freeze_prefix(when::below(1)), calm) == numbers{5, 5, 5, 5, 5, 5});
    CHECK(leading(freeze_prefix(when::below(1) && when::at_most(2)), calm) == numbers{2, 4, 5, 5, 5, 5});
    CHECK(leading(freeze_prefix(when::below(1) && when::at_most(1) && when::cool_down(2)), calm) ==
          numbers{1, 1, 2, 2, 3, 3});
}

TEST_CASE("freeze_prefix stops at the first block that learns, freeze_each does not") {
    const traces::run run{.scores = {{0.0, 2.0, 0.0, 2.0, 0.0}, {0.0, 0.0, 2.0, 2.0, 0.0}}};
    const auto prefix = follow(freeze_prefix(when::below(1)), run);
    CHECK(prefix[0] == 1);
    CHECK(prefix[1] == 2);
    const auto each = follow(freeze_each(when::below(1)), run);
    CHECK(each[0] == frozen_blocks(1).insert(2));
    CHECK(each[1] == 3);  // block 2 stays frozen, and block 1 closes the gap
    CHECK(freeze_prefix(when::below(1))(training_view{}) == 0);
    CHECK(freeze_each(when::below(1))(training_view{}) == 0);
}
