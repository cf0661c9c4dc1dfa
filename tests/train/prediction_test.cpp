// SPDX-License-Identifier: MIT
#include "frostline/train/prediction.hpp"

#include "frostline/models/lenet.hpp"
#include "support/catch.hpp"
#include "support/standalone.hpp"

#include <cmath>
#include <numeric>
#include <vector>

using namespace frostline;

TEST_CASE("a prediction is the softmax of the logits, and its label the most probable class") {
    auto network = lenet5<float>({28, 28, 1}, 5);
    const auto images = standalone::random_tensor<float>(3, {28, 28, 1}, "images");
    const auto predictions = predict_batch(network, images);
    REQUIRE(predictions.size() == 3);
    const auto logits = network.predict(images);
    for (std::size_t row = 0; row < 3; ++row) {
        const auto& found = predictions[row];
        REQUIRE(found.probabilities.size() == 5);
        CHECK(std::accumulate(found.probabilities.begin(), found.probabilities.end(), 0.0) == Approx(1));
        std::size_t largest = 0;
        for (std::size_t c = 0; c < 5; ++c) {
            CHECK(std::log(found.probabilities[c] / found.probabilities[0]) ==
                  Approx(logits(row, 0, 0, c) - logits(row, 0, 0, 0)).margin(1e-6));
            if (logits(row, 0, 0, c) > logits(row, 0, 0, largest)) largest = c;
        }
        CHECK(found.label() == static_cast<std::int32_t>(largest));
        CHECK(found.probability() == found.probabilities[largest]);

        const auto alone = predict(network, standalone::rows_of(images, row, 1));
        CHECK(alone.probabilities == found.probabilities);
    }
    CHECK_THROWS_AS(predict(network, images), shape_error);
}

TEST_CASE("the most probable classes come in order, and of equals the first") {
    const prediction found{{0.2, 0.3, 0.1, 0.3, 0.1}};
    CHECK(found.label() == 1);
    CHECK(found.top(3) == std::vector<std::int32_t>{1, 3, 0});
    CHECK(found.top(9).size() == 5);
    CHECK(found.top(0).empty());
}

TEST_CASE("no images have no predictions") {
    auto network = lenet5<float>({28, 28, 1}, 3);
    CHECK(predict_batch(network, standalone::random_tensor<float>(0, {28, 28, 1}, "images")).empty());
}

TEST_CASE("logits of any size give probabilities, not infinity") {
    auto network = lenet5<float>({28, 28, 1}, 3);
    network.for_each_parameter([](auto& item) {
        if (item.name == "fc3.bias") item.value[1] = 1e4f;
    });
    const auto found = predict(network, standalone::random_tensor<float>(1, {28, 28, 1}, "image"));
    CHECK(found.label() == 1);
    CHECK(found.probability() == Approx(1));
}
