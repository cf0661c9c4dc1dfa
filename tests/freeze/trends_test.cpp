// SPDX-License-Identifier: MIT
#include "frostline/freeze/trends.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;
using traces::of_block;

namespace {

/// What a trend says of block 0 after each decision.
template <class Trend>
std::vector<std::optional<double>> values(const Trend& trend, const traces::trace& scores,
                                          double learning_rate_left = 0) {
    training_view view;
    view.scores = scores;
    view.learning_rate_left = learning_rate_left;
    std::vector<std::optional<double>> found;
    for (std::size_t i = 0; i < scores.size(); ++i) found.push_back(trend(view, 0, i));
    return found;
}

constexpr auto nothing = std::nullopt;
using optionals = std::vector<std::optional<double>>;

static_assert(score_trend<decltype(when::score)>);
static_assert(score_trend<decltype(when::slope(when::score, 3))>);
static_assert(!score_trend<double>);

}  // namespace

TEST_CASE("the trend score is the score of its decision") {
    CHECK(values(when::score, of_block({1.0, nothing, 3.0})) == optionals{1.0, nothing, 3.0});
}

TEST_CASE("distance_left is the score times the learning rate that is left") {
    CHECK(values(when::distance_left, of_block({1.0, nothing, 3.0}), 0.5) == optionals{0.5, nothing, 1.5});
}

TEST_CASE("share_left is the distance left over the distance gone") {
    const auto scores = of_block({4.0, nothing, 2.0, 0.0});
    const std::vector<double> learning_rates{0.5, 0.5, 0.25, 0.25};
    training_view view;
    view.scores = scores;
    view.learning_rates = learning_rates;
    view.learning_rate_left = 5;
    view.step = 40;  // ten steps to a decision
    CHECK(when::share_left(view, 0, 0) == 0.25 * 4);
    CHECK(when::share_left(view, 0, 1) == nothing);
    CHECK(when::share_left(view, 0, 2) == 2.0 * 5 / ((4.0 * 0.5 + 2.0 * 0.25) * 10));
    CHECK(when::share_left(view, 0, 3) == 0.0);
    view.first_step = 20;  // five
    CHECK(when::share_left(view, 0, 2) == 2.0 * 5 / ((4.0 * 0.5 + 2.0 * 0.25) * 5));
    const auto still = of_block({0.0, 0.0, 0.0, 0.0});
    view.scores = still;
    CHECK(when::share_left(view, 0, 3) == nothing);
}

TEST_CASE("smoothed is the mean of the last decisions, where all of them have a score") {
    CHECK(values(when::smoothed(when::score, 2), of_block({1.0, 3.0, 6.0, nothing, 2.0, 4.0})) ==
          optionals{nothing, 2.0, 4.5, nothing, nothing, 3.0});
}

TEST_CASE("slope fits a line to the last decisions") {
    // Through (0, 1), (1, 2), (2, 6): (-1 * 1 + 1 * 6) / 2.
    CHECK(values(when::slope(when::score, 3), of_block({1.0, 2.0, 6.0, 4.0})) ==
          optionals{nothing, nothing, 2.5, 1.0});
    CHECK(values(when::slope(when::score, 2), of_block({1.0, nothing, 6.0, 4.0})) ==
          optionals{nothing, nothing, nothing, -2.0});
    CHECK(values(when::size_of(when::slope(when::score, 2)), of_block({6.0, 4.0})) ==
          optionals{nothing, 2.0});
}

TEST_CASE("relative_change compares with the decision before") {
    CHECK(values(when::relative_change(when::score), of_block({4.0, 3.0, 3.75, nothing, 1.0, 0.0, 1.0})) ==
          optionals{nothing, 0.25, 0.25, nothing, nothing, 1.0, nothing});
}

TEST_CASE("remaining adds up what a geometric series would still bring") {
    // Halved each time: 1 + 0.5 + 0.25 + ... = 2 is still to come after 2.
    CHECK(values(when::remaining(when::score), of_block({4.0, 2.0, 1.0, 1.0, 2.0})) ==
          optionals{nothing, 2.0, 1.0, nothing, nothing});
    // A quarter over two decisions is a half at each.
    const auto over_two = values(when::remaining(when::score, 2), of_block({4.0, 3.0, 1.0}));
    CHECK(over_two[1] == nothing);
    CHECK(*over_two[2] == Catch::Approx(1));
}

TEST_CASE("a trend is read of any other, a lambda among them") {
    const auto negative = [](const training_view& view, std::size_t block, std::size_t decision) {
        return std::optional(-*view.scores[decision][block]);
    };
    CHECK(values(when::smoothed(negative, 2), of_block({1.0, 3.0})) == optionals{nothing, -2.0});
}
