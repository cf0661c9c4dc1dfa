// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/weight_change.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

template <class T>
std::optional<double> score(const std::vector<T>& before, const std::vector<T>& now, double rates) {
    return weight_change{}(
        block_view<T>{.weights = now, .previous_weights = before, .learning_rate_sum = rates});
}

}  // namespace

TEST_CASE("the weight change is the relative change divided by the summed learning rate") {
    // |(3, 4)| = 5, |(0.6, 0.8)| = 1.
    CHECK(*score<double>({3, 4}, {3.6, 4.8}, 0.5) == Catch::Approx(1.0 / 5 / 0.5));
    CHECK(*score<float>({3, 4}, {3, 4.5f}, 2) == Catch::Approx(0.5 / 5 / 2));
    CHECK(*score<double>({3, 4}, {3, 4}, 1) == 0);
}

TEST_CASE("the weight change does not depend on the scale of the weights, and padding does not count") {
    CHECK(*score<double>({300, 400}, {360, 480}, 0.5) ==
          Catch::Approx(*score<double>({3, 4}, {3.6, 4.8}, 0.5)));
    CHECK(*score<double>({3, 4, 0, 0}, {3.6, 4.8, 0, 0}, 0.5) ==
          Catch::Approx(*score<double>({3, 4}, {3.6, 4.8}, 0.5)));
}

TEST_CASE("the weight change is summed in double precision") {
    // In single precision 1 + 2^-30 is 1, a million times over.
    std::vector<float> before(1 << 20, 0x1.0p-15f), now = before;
    before[0] = now[0] = 1;
    now[0] = 2;
    CHECK(*score<float>(before, now, 1) ==
          Catch::Approx(1 / std::sqrt(1 + (before.size() - 1) * 0x1.0p-30)).epsilon(1e-12));
}

TEST_CASE("without a length or a learning rate there is no weight change") {
    CHECK_FALSE(score<double>({0, 0}, {1, 1}, 1));
    CHECK_FALSE(score<double>({1, 1}, {2, 2}, 0));
    CHECK_FALSE(score<double>({}, {}, 1));
}

TEST_CASE("the weight change may be the mean or the sum of absolute changes, and not by learning rate") {
    const std::vector<double> before{3, 4, 0}, now{3.6, 3.2, 0};  // one of them padding
    const block_view<double> view{
        .weights = now, .previous_weights = before, .learning_rate_sum = 0.5, .steps = 1, .parameters = 2};
    const auto by = [](change_measure measure, bool per_learning_rate = true) {
        return weight_change{.measure = measure, .per_learning_rate = per_learning_rate};
    };
    CHECK(*by(change_measure::relative_l2)(view) == Catch::Approx(0.4));
    CHECK(*by(change_measure::relative_l2, false)(view) == Catch::Approx(0.2));
    CHECK(*by(change_measure::mean_l1)(view) == Catch::Approx(1.4));
    CHECK(*by(change_measure::mean_l1, false)(view) == Catch::Approx(0.7));
    CHECK(*by(change_measure::raw_l1)(view) == Catch::Approx(2.8));
    CHECK(*by(change_measure::raw_l1, false)(view) == Catch::Approx(1.4));
}

TEST_CASE("without a step there is no weight change, whatever the measure") {
    const std::vector<double> weights{3, 4};
    const block_view<double> view{.weights = weights, .previous_weights = weights, .parameters = 2};
    for (const auto measure : {change_measure::relative_l2, change_measure::mean_l1, change_measure::raw_l1})
        for (const bool per_learning_rate : {false, true})
            CHECK_FALSE(weight_change{measure, per_learning_rate}(view));
}
