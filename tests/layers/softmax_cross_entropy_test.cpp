// SPDX-License-Identifier: MIT
#include "frostline/layers/softmax_cross_entropy.hpp"

#include "layers/layer_checks.hpp"

#include <cmath>
#include <limits>

using namespace frostline;

TEST_CASE("softmax_cross_entropy has the gradient of its mean") {
    for (const double smoothing : {0.0, 0.1, 1.0}) {
        auto logits = layer_checks::random_tensor<double>(5, {1, 1, 7}, "logits", 3);
        const std::vector<std::int32_t> targets{0, 6, 3, 3, 1};
        const softmax_cross_entropy<double> loss{{.label_smoothing = smoothing}};
        tensor<double> gradient, ignored;
        loss(logits, targets, gradient);
        REQUIRE(gradient.shape() == logits.shape());
        for (std::size_t i = 0; i < logits.size(); ++i) {
            const double value = logits.data()[i], step = 1e-5;
            logits.data()[i] = value + step;
            const double above = loss(logits, targets, ignored);
            logits.data()[i] = value - step;
            const double below = loss(logits, targets, ignored);
            logits.data()[i] = value;
            CHECK(gradient.data()[i] == Catch::Approx((above - below) / (2 * step)).margin(1e-9));
        }
    }
}

TEST_CASE("softmax_cross_entropy in float follows double") {
    const auto narrow = layer_checks::random_tensor<float>(33, {1, 1, 10}, "logits", 20);
    const auto wide = layer_checks::random_tensor<double>(33, {1, 1, 10}, "logits", 20);
    std::vector<std::int32_t> targets(33);
    for (std::size_t i = 0; i < 33; ++i) targets[i] = static_cast<std::int32_t>(i % 10);
    tensor<float> narrow_gradient;
    tensor<double> wide_gradient;
    const double found = softmax_cross_entropy<float>{}(narrow, targets, narrow_gradient);
    CHECK(found ==
          Catch::Approx(softmax_cross_entropy<double>{}(wide, targets, wide_gradient)).epsilon(1e-12));
    CHECK(layer_checks::largest_difference(narrow_gradient, wide_gradient) < 1e-8);
}

TEST_CASE("a class whose logit is -infinity counts for nothing where labels are not smoothed") {
    tensor<double> logits, gradient;
    resize(logits, 1, {1, 1, 3});
    logits(0, 0, 0, 0) = std::log(3.0);
    logits(0, 0, 0, 1) = -std::numeric_limits<double>::infinity();
    logits(0, 0, 0, 2) = 0;
    const std::vector<std::int32_t> target{2};
    CHECK(softmax_cross_entropy<double>{}(logits, target, gradient) == Catch::Approx(std::log(4.0)));
    CHECK(gradient(0, 0, 0, 0) == Catch::Approx(0.75));
    CHECK(gradient(0, 0, 0, 1) == 0);
    CHECK(gradient(0, 0, 0, 2) == Catch::Approx(-0.75));
}

TEST_CASE("softmax_cross_entropy says what is wrong") {
    tensor<float> logits, gradient;
    resize(logits, 2, {1, 1, 10});
    std::fill_n(logits.data(), logits.size(), 0.0f);
    const softmax_cross_entropy<float> loss;
    const auto with = [&](std::vector<std::int32_t> targets) { return loss(logits, targets, gradient); };
    CHECK(with({0, 9}) == Catch::Approx(std::log(10.0)));
    CHECK_THROWS_AS(with({0, 10}), argument_error);
    CHECK_THROWS_WITH(with({0, 10}), "softmax_cross_entropy: target 10 of sample 1 is outside [0, 10)");
    CHECK_THROWS_WITH(with({-1, 0}), "softmax_cross_entropy: target -1 of sample 0 is outside [0, 10)");
    CHECK_THROWS_WITH(with({1}), "softmax_cross_entropy: expected one target for each of 2 samples, found 1");
    resize(logits, 2, {2, 1, 10});
    CHECK_THROWS_AS(with({1, 1}), shape_error);
    resize(logits, 0, {1, 1, 10});
    CHECK_THROWS_AS(with({}), shape_error);
    CHECK_THROWS_AS((softmax_cross_entropy<float>{{.label_smoothing = 1.5}}), argument_error);
}

TEST_CASE("count_correct takes the first of equal logits") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    tensor<float> logits;
    resize(logits, 4, {1, 1, 3});
    const float values[] = {1, 2, 2, /**/ 5, 4, 3, /**/ 0, 0, 0, /**/ nan, 1, 0};
    std::copy_n(values, 12, logits.data());
    const auto count = [&](std::vector<std::int32_t> targets) {
        return count_correct(logits, std::span<const std::int32_t>(targets));
    };
    CHECK(count({1, 0, 0, 2}) == 3);
    CHECK(count({2, 1, 1, 0}) == 0);
    CHECK(count({2, 1, 2, 1}) == 0);
    CHECK_THROWS_AS(count({1, 0, 0, 3}), argument_error);
}
