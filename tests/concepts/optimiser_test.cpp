// SPDX-License-Identifier: MIT
#include "frostline/concepts/optimiser.hpp"

#include "frostline/optim/sgd.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

// The smallest model: plain gradient descent without state.
struct descent {
    std::vector<parameter_slice> slices{};

    void attach(std::span<const parameter_slice> found) { slices.assign(found.begin(), found.end()); }
    template <class T>
    std::optional<std::size_t> step(std::span<T> values, std::span<const T> gradients,
                                    std::size_t first_block, std::span<const block_rate> rates) {
        for (const auto& slice : slices) {
            if (slice.block < first_block) continue;
            for (std::size_t i = slice.offset; i < slice.offset + slice.size; ++i)
                values[i] -= static_cast<T>(rates[slice.block].rate) * gradients[i];
        }
        return std::nullopt;
    }
    void reset(std::size_t, std::size_t) {}
    template <class Visitor>
    void for_each_state(const Visitor&) {}
};

// One requirement is missing in each.
struct cannot_reset : descent {
    void reset(std::size_t, std::size_t) = delete;
};
struct is_never_attached : descent {
    void attach(std::span<const parameter_slice>) = delete;
};
struct hides_its_state : descent {
    template <class Visitor>
    void for_each_state(const Visitor&) = delete;
};
struct tells_no_divergence : descent {
    void step(std::span<float>, std::span<const float>, std::size_t, std::span<const block_rate>) {}
};

static_assert(optimiser<descent, float> && optimiser<descent, double>);
static_assert(optimiser<sgd<float>, float> && optimiser<sgd<double>, double>);
static_assert(!optimiser<sgd<float>, double>);
static_assert(!optimiser<cannot_reset, float>);
static_assert(!optimiser<is_never_attached, float>);
static_assert(!optimiser<hides_its_state, float>);
static_assert(!optimiser<tells_no_divergence, float>);
static_assert(!optimiser<int, float>);

template <optimiser<float> Optimiser>
std::vector<float> after_a_step(Optimiser optimiser) {
    const std::vector<parameter_slice> slices{{.block = 0, .offset = 0, .size = 2},
                                              {.block = 1, .offset = 16, .size = 1}};
    std::vector<float> values(32, 1), gradients(32, 0);
    gradients[0] = gradients[16] = 2;
    optimiser.attach(slices);
    const std::vector<block_rate> rates{{.rate = 0.25}, {.rate = 0.5}};
    CHECK_FALSE(optimiser.step(std::span<float>(values), std::span<const float>(gradients), 1, rates));
    return values;
}

}  // namespace

TEST_CASE("the smallest model of an optimiser steps like sgd, behind the frost line only") {
    const auto values = after_a_step(descent{});
    CHECK(values[0] == 1);
    CHECK(values[16] == 0);
    CHECK(after_a_step(sgd<float>{{.momentum = 0}}) == values);
}
