// SPDX-License-Identifier: MIT
#include "frostline/kernels/softmax.hpp"

#include "frostline/core/random.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"
#include "support/worse.hpp"

#include <vector>

using namespace frostline;

namespace {

struct batch {
    std::vector<double> logits;
    std::vector<std::int32_t> targets;
};

batch random_batch(std::size_t rows, std::size_t classes) {
    batch result{std::vector<double>(rows * classes), std::vector<std::int32_t>(rows)};
    const random_stream draws(5, purpose::user);
    for (std::size_t i = 0; i < result.logits.size(); ++i) result.logits[i] = 8 * draws.uniform(i) - 4;
    for (std::size_t i = 0; i < rows; ++i)
        result.targets[i] = static_cast<std::int32_t>(draws.bits(i) % classes);
    return result;
}

}  // namespace

TEST_CASE("softmax cross entropy is that of the plain formulas") {
    for (const auto& [rows, classes] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {3, 10}, {64, 2}, {129, 7}, {5, 1000}})
        for (const double smoothing : {0.0, 0.1}) {
            const auto [logits, targets] = random_batch(rows, classes);
            std::vector<double> gradient(rows * classes);
            const double found = kernels::softmax_cross_entropy(rows, classes, logits.data(), targets.data(),
                                                                smoothing, gradient.data());
            double loss = 0, worst = 0;
            for (std::size_t row = 0; row < rows; ++row) {
                double sum = 0;
                for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logits[row * classes + c]);
                for (std::size_t c = 0; c < classes; ++c) {
                    const double probability = std::exp(logits[row * classes + c]) / sum;
                    const double wanted = (static_cast<std::int32_t>(c) == targets[row] ? 1 - smoothing : 0) +
                                          smoothing / classes;
                    loss -= wanted * std::log(probability) / rows;
                    take_worse(worst, std::abs(gradient[row * classes + c] - (probability - wanted) / rows));
                }
            }
            CHECK(found == Catch::Approx(loss).margin(1e-12));
            CHECK(worst < 1e-14);
        }
}

TEST_CASE("softmax cross entropy stands huge logits and works in place") {
    std::vector<float> logits{10000, -10000, 0, 10000};
    const std::vector<std::int32_t> targets{1, 1};
    const double loss = kernels::softmax_cross_entropy(2, 2, logits.data(), targets.data(), 0, logits.data());
    CHECK(loss == Catch::Approx(10000));
    CHECK(logits == std::vector<float>{0.5f, -0.5f, 0, 0});
}

TEST_CASE("softmax cross entropy of NaN is NaN wherever it stands") {
    for (std::size_t place = 0; place < 3; ++place) {
        std::vector<float> logits{1, 2, 3}, gradient(3);
        logits[place] = std::nanf("");
        const std::int32_t target = 0;
        CHECK(std::isnan(kernels::softmax_cross_entropy(1, 3, logits.data(), &target, 0, gradient.data())));
    }
}

TEST_CASE("softmax cross entropy is the same to the bit on any number of threads") {
    const auto [logits, targets] = random_batch(1001, 10);
    std::vector<double> gradient(logits.size()), first_gradient;
    const auto loss_on = [&, &logits = logits, &targets = targets](int count) {
        const with_threads guard(count);
        return kernels::softmax_cross_entropy(1001, 10, logits.data(), targets.data(), 0.1, gradient.data());
    };
    const double expected = loss_on(1);
    first_gradient = gradient;
    for (const int count : {2, 3}) {
        CHECK(loss_on(count) == expected);
        CHECK(gradient == first_gradient);
    }
}
