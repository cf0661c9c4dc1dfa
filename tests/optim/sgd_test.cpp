// SPDX-License-Identifier: MIT
#include "frostline/optim/sgd.hpp"

#include "support/catch.hpp"
#include "support/count_allocations.hpp"
#include "support/with_threads.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace frostline;

static_assert(optimiser<sgd<float>, float>);
static_assert(optimiser<sgd<double>, double>);

namespace {

/// Three blocks: a weight and a bias, no parameters, and a weight of several chunks.
template <class T>
struct small_network {
    static constexpr std::size_t large = 40000;
    static constexpr std::size_t gap = alignment / sizeof(T);

    std::vector<parameter_slice> slices{{0, 0, 3, true}, {0, gap, 1, false}, {2, 2 * gap, large, true}};
    std::vector<block_rate> rates{{0.1, 0.5}, {0, 0}, {0.01, 0}};
    aligned_vector<T> values = aligned_vector<T>(2 * gap + whole_lines<T>(large), T{0});
    aligned_vector<T> gradients = values;

    small_network() {
        for (const auto& slice : slices)
            for (std::size_t i = slice.offset; i < slice.offset + slice.size; ++i) {
                values[i] = std::sin(static_cast<T>(i + 1));
                gradients[i] = std::cos(static_cast<T>(3 * i + 1));
            }
    }

    std::optional<std::size_t> step(sgd<T>& optimiser, std::size_t first_block = 0) {
        return optimiser.step(values, gradients, first_block, rates);
    }
};

template <class T>
std::vector<T> momentum_of(sgd<T>& optimiser) {
    std::vector<T> found;
    optimiser.for_each_state([&](const std::string& name, std::span<T> state) {
        CHECK(name == "momentum");
        found.assign(state.begin(), state.end());
    });
    return found;
}

template <class Left, class Right>
bool same_bits(const Left& left, const Right& right) {
    return left.size() == right.size() &&
           std::memcmp(left.data(), right.data(), left.size() * sizeof(left[0])) == 0;
}

/// The value after each of two steps from w = 1 with the gradients 2 and 1, rate 0.1 and decay 0.5.
std::vector<double> two_steps(const sgd_options& options, bool decays) {
    sgd<double> optimiser(options);
    const std::vector<parameter_slice> slices{{0, 0, 1, decays}};
    optimiser.attach(slices);
    const std::vector<block_rate> rates{{0.1, 0.5}};
    std::vector<double> values(8, 0.0), gradients(8, 0.0), found;
    values[0] = 1;
    for (const double gradient : {2.0, 1.0}) {
        gradients[0] = gradient;
        CHECK_FALSE(optimiser.step(values, gradients, 0, rates));
        found.push_back(values[0]);
    }
    return found;
}

}  // namespace

TEST_CASE("sgd without momentum subtracts rate times gradient") {
    const auto found = two_steps({.momentum = 0}, false);
    CHECK(found[0] == Catch::Approx(0.8));
    CHECK(found[1] == Catch::Approx(0.7));
}

TEST_CASE("sgd with momentum and decay gives the values computed by hand") {
    // g' = 2.5, v = 2.5, w = 0.75; g' = 1.375, v = 2.25 + 1.375, w = 0.75 - 0.3625
    const auto found = two_steps({.momentum = 0.9}, true);
    CHECK(found[0] == Catch::Approx(0.75));
    CHECK(found[1] == Catch::Approx(0.3875));
}

TEST_CASE("sgd with Nesterov's momentum gives the values computed by hand") {
    // g' = 2.5, v = 2.5, w = 1 - 0.1 * 4.75; g' = 1.2625, v = 3.5125, w = 0.525 - 0.1 * (1.2625 + 3.16125)
    const auto found = two_steps({.momentum = 0.9, .nesterov = true}, true);
    CHECK(found[0] == Catch::Approx(0.525));
    CHECK(found[1] == Catch::Approx(0.082625));
}

TEST_CASE("sgd decays biases and norms only when told to") {
    const auto spared = two_steps({.momentum = 0.9}, false);
    CHECK(spared[0] == Catch::Approx(0.8));
    CHECK(spared[1] == Catch::Approx(0.8 - 0.1 * 2.8));
    CHECK(two_steps({.momentum = 0.9, .decay_everywhere = true}, false) ==
          two_steps({.momentum = 0.9}, true));
}

TEMPLATE_TEST_CASE("sgd updates each block with its own rate, over all of its chunks", "", float, double) {
    small_network<TestType> network;
    const auto before = network.values;
    sgd<TestType> optimiser({.momentum = 0});
    optimiser.attach(network.slices);
    CHECK_FALSE(network.step(optimiser));
    const auto expected = [&](std::size_t i, double rate, double decay) {
        return before[i] - rate * (network.gradients[i] + decay * before[i]);
    };
    for (const auto& slice : network.slices) {
        const auto& rate = network.rates[slice.block];
        for (std::size_t i = slice.offset; i < slice.offset + slice.size; ++i) {
            const double wanted = expected(i, rate.rate, slice.decays ? rate.decay : 0);
            if (std::abs(network.values[i] - wanted) > 1e-6)
                FAIL("element " << i << " of block " << slice.block);
        }
    }
}

TEMPLATE_TEST_CASE("sgd leaves the gaps between parameters zero", "", float, double) {
    small_network<TestType> network;
    sgd<TestType> optimiser({.momentum = 0.9, .nesterov = true});
    optimiser.attach(network.slices);
    for (int i = 0; i < 3; ++i) network.step(optimiser);
    for (std::size_t i : {std::size_t{3}, network.gap - 1, network.gap + 1, 2 * network.gap - 1})
        CHECK(network.values[i] == 0);
}

TEMPLATE_TEST_CASE("sgd leaves values and momentum of frozen blocks bit-identical", "", float, double) {
    small_network<TestType> network;
    sgd<TestType> optimiser;
    optimiser.attach(network.slices);
    network.step(optimiser);
    const auto values = network.values;
    const auto momentum = momentum_of(optimiser);
    // What is frozen has no gradient: whatever lies there must not be read either.
    network.gradients[0] = std::numeric_limits<TestType>::quiet_NaN();
    for (int i = 0; i < 5; ++i) CHECK_FALSE(network.step(optimiser, 1));
    const std::size_t frozen = 2 * network.gap;
    const auto after = momentum_of(optimiser);
    CHECK(std::memcmp(values.data(), network.values.data(), frozen * sizeof(TestType)) == 0);
    CHECK(std::memcmp(momentum.data(), after.data(), frozen * sizeof(TestType)) == 0);
    CHECK(values[frozen] != network.values[frozen]);
    CHECK(momentum[frozen] != after[frozen]);
    for (int i = 0; i < 5; ++i) CHECK_FALSE(network.step(optimiser, 3));
    CHECK(same_bits(after, momentum_of(optimiser)));
}

TEMPLATE_TEST_CASE("sgd names the first block with a NaN or infinite gradient", "", float, double) {
    using limits = std::numeric_limits<TestType>;
    for (const TestType bad : {limits::quiet_NaN(), -limits::quiet_NaN(), limits::signaling_NaN(),
                               limits::infinity(), -limits::infinity()}) {
        small_network<TestType> network;
        sgd<TestType> optimiser;
        optimiser.attach(network.slices);
        const std::size_t second = network.slices[2].offset;
        network.gradients[second + network.large - 1] = bad;
        CHECK(network.step(optimiser) == std::size_t{2});
        network.gradients[network.gap] = bad;
        CHECK(network.step(optimiser) == std::size_t{0});
        CHECK(network.step(optimiser, 1) == std::size_t{2});
        network.gradients[second + network.large - 1] = 0;
        CHECK_FALSE(network.step(optimiser, 1));
    }
}

TEMPLATE_TEST_CASE("sgd takes the largest and the smallest finite gradients for what they are", "", float,
                   double) {
    small_network<TestType> network;
    network.rates[2].rate = 0;
    sgd<TestType> optimiser;
    optimiser.attach(network.slices);
    network.gradients[network.slices[2].offset] = std::numeric_limits<TestType>::max();
    network.gradients[network.slices[2].offset + 1] = std::numeric_limits<TestType>::lowest();
    network.gradients[network.slices[2].offset + 2] = std::numeric_limits<TestType>::denorm_min();
    CHECK_FALSE(network.step(optimiser));
}

TEST_CASE("sgd gives the same bits for any number of threads") {
    aligned_vector<float> single;
    for (const int count : {1, 3}) {
        const with_threads guard(count);
        small_network<float> network;
        sgd<float> optimiser;
        optimiser.attach(network.slices);
        for (int i = 0; i < 4; ++i) network.step(optimiser);
        if (count == 1) single = network.values;
        CHECK(same_bits(single, network.values));
    }
}

TEST_CASE("sgd forgets the momentum of the blocks that thaw, and of no other") {
    small_network<float> network;
    sgd<float> optimiser;
    optimiser.attach(network.slices);
    network.step(optimiser);
    const auto before = momentum_of(optimiser);
    optimiser.reset(0, 2);
    const auto after = momentum_of(optimiser);
    CHECK(std::all_of(after.begin(), after.begin() + 32, [](float value) { return value == 0; }));
    CHECK(std::equal(after.begin() + 32, after.end(), before.begin() + 32));
    optimiser.reset(2, 3);
    for (const float value : momentum_of(optimiser))
        if (value != 0) FAIL("momentum is left");
}

TEST_CASE("sgd continues bit for bit from restored momentum") {
    small_network<double> network;
    sgd<double> optimiser;
    optimiser.attach(network.slices);
    network.step(optimiser);
    const auto saved = momentum_of(optimiser);
    auto resumed = network;

    sgd<double> other;
    other.attach(resumed.slices);
    other.for_each_state([&](const std::string&, std::span<double> state) {
        REQUIRE(state.size() == saved.size());
        std::copy(saved.begin(), saved.end(), state.begin());
    });
    network.step(optimiser);
    resumed.step(other);
    CHECK(same_bits(network.values, resumed.values));
}

TEST_CASE("sgd lays its momentum out like the arenas") {
    small_network<float> network;
    sgd<float> optimiser;
    optimiser.attach(network.slices);
    CHECK(momentum_of(optimiser).size() == network.values.size());
}

TEST_CASE("sgd allocates nothing once it is attached") {
    small_network<float> network;
    sgd<float> optimiser;
    optimiser.attach(network.slices);
    network.step(optimiser);
    CHECK(allocations_of([&] { network.step(optimiser); }) == 0);
    CHECK(allocations_of([&] { network.step(optimiser, 1); }) == 0);
    CHECK(allocations_of([&] { optimiser.reset(0, 3); }) == 0);
}

TEST_CASE("sgd without parameters does nothing") {
    sgd<float> optimiser;
    optimiser.attach({});
    CHECK_FALSE(optimiser.step({}, {}, 0, {}));
    optimiser.reset(0, 1);
}

TEST_CASE("sgd rejects options, slices and arenas that cannot be") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double momentum : {-0.1, 1.0, 9.0, nan, std::numeric_limits<double>::infinity()})
        CHECK_THROWS_AS(sgd<float>({.momentum = momentum}), argument_error);
    CHECK_THROWS_WITH(sgd<float>({.momentum = -0.5}), "sgd: the momentum must be in [0, 1), found -0.5");
    CHECK_THROWS_AS(sgd<float>({.momentum = 0, .nesterov = true}), argument_error);

    sgd<float> optimiser;
    const std::vector<parameter_slice> blocks_reversed{{1, 0, 16, true}, {0, 16, 16, true}};
    CHECK_THROWS_AS(optimiser.attach(blocks_reversed), argument_error);
    const std::vector<parameter_slice> overlapping{{0, 0, 17, true}, {1, 16, 16, true}};
    CHECK_THROWS_AS(optimiser.attach(overlapping), argument_error);

    small_network<float> network;
    optimiser.attach(network.slices);
    std::vector<float> short_arena(16);
    CHECK_THROWS_AS(optimiser.step(short_arena, network.gradients, 0, network.rates), argument_error);
    CHECK_THROWS_AS(optimiser.step(network.values, short_arena, 0, network.rates), argument_error);
    network.rates.pop_back();
    CHECK_THROWS_WITH(network.step(optimiser), "sgd: found rates for 2 blocks, expected at least 3");
}
