// SPDX-License-Identifier: MIT
#include "frostline/concepts/loss.hpp"

#include "frostline/layers/softmax_cross_entropy.hpp"
#include "support/catch.hpp"

using namespace frostline;

static_assert(loss<softmax_cross_entropy<float>, float>);
static_assert(loss<softmax_cross_entropy<double>, double>);
static_assert(!loss<softmax_cross_entropy<double>, float>);
static_assert(!loss<softmax_cross_entropy<float>, int>);

namespace {

struct computes_nothing {
    void operator()(const tensor<float>&, std::span<const std::int32_t>, tensor<float>&) const {}
};
struct changes_itself {
    double operator()(const tensor<float>&, std::span<const std::int32_t>, tensor<float>&) { return 0; }
};
static_assert(!loss<computes_nothing, float>);
static_assert(!loss<changes_itself, float>);

template <loss<float> Loss>
double loss_of_zeros(const Loss& loss) {
    tensor<float> outputs, gradient;
    resize(outputs, 3, {1, 1, 2});
    std::fill_n(outputs.data(), outputs.size(), 0.0f);
    const std::vector<std::int32_t> targets{0, 1, 1};
    return loss(outputs, targets, gradient);
}

}  // namespace

TEST_CASE("a lambda is a loss") {
    const auto squared_error = [](const tensor<float>& outputs, std::span<const std::int32_t> targets,
                                  tensor<float>& gradient) {
        gradient = outputs;
        double sum = 0;
        for (std::size_t row = 0; row < targets.size(); ++row)
            for (std::size_t c = 0; c < 2; ++c) {
                const float error = outputs(row, 0, 0, c) - (targets[row] == static_cast<std::int32_t>(c));
                gradient(row, 0, 0, c) = 2 * error / static_cast<float>(targets.size());
                sum += error * error;
            }
        return sum / static_cast<double>(targets.size());
    };
    CHECK(loss_of_zeros(squared_error) == 1);
    CHECK(loss_of_zeros(softmax_cross_entropy<float>{}) == Catch::Approx(std::log(2.0)));
}
