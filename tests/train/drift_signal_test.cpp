// SPDX-License-Identifier: MIT
#include "frostline/train/drift_signal.hpp"

#include "frostline/core/random.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <optional>

using namespace frostline;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Losses of samples as they are in practice: most are small, some are large.
double loss_of(std::uint64_t seed, std::size_t sample, double mean) {
    return -mean * std::log(1 - random_stream(seed, purpose::user).uniform(sample));
}

/// The first sample of [first, last) at which there is a drift.
template <class Mean>
std::optional<std::size_t> drift_in(drift_signal& signal, std::uint64_t seed, std::size_t first,
                                    std::size_t last, const Mean& mean) {
    for (std::size_t sample = first; sample < last; ++sample)
        if (signal.add(loss_of(seed, sample, mean(sample)), 1)) return sample;
    return std::nullopt;
}

}  // namespace

TEST_CASE("a fading mean is the mean of few values, and forgets old ones") {
    fading_mean mean(100);
    CHECK(mean.value() == 0);
    mean.add(3);
    CHECK(mean.value() == Approx(3));
    mean.add(5);
    CHECK(mean.value() == Approx(4).margin(0.02));
    for (int i = 0; i < 1000; ++i) mean.add(7);
    CHECK(mean.value() == Approx(7).margin(0.001));
    fading_mean batches(100);
    for (int i = 0; i < 50; ++i) batches.add(2, 20);
    for (int i = 0; i < 5; ++i) batches.add(1, 20);
    CHECK(batches.value() == Approx(1 + std::exp(-1.0)).margin(0.001));
    batches.reset();
    CHECK(batches.value() == 0);
}

TEST_CASE("a loss that rises is a drift, soon after it rises") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        drift_signal signal({.window = 100});
        const auto found =
            drift_in(signal, seed, 0, 5000, [](std::size_t sample) { return sample < 3000 ? 0.3 : 1.5; });
        REQUIRE(found);
        CHECK(*found >= 3000);
        CHECK(*found < 3200);
        CHECK(signal.running_loss() > signal.usual_loss());
    }
}

TEST_CASE("a loss that falls, stays or creeps is no drift") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        drift_signal falling({.window = 100}), still({.window = 100}), creeping({.window = 100});
        CHECK_FALSE(drift_in(falling, seed, 0, 20000, [](std::size_t sample) {
            return 2.3 / (1 + static_cast<double>(sample) / 500);
        }));
        CHECK_FALSE(drift_in(still, seed, 0, 20000, [](std::size_t) { return 0.05; }));
        CHECK_FALSE(drift_in(creeping, seed, 0, 20000,
                             [](std::size_t sample) { return 0.3 + static_cast<double>(sample) / 20000; }));
    }
}

TEST_CASE("after a reset the new stream is the usual one") {
    drift_signal signal({.window = 100});
    REQUIRE(drift_in(signal, 1, 0, 5000, [](std::size_t sample) { return sample < 3000 ? 0.3 : 1.5; }));
    signal.reset();
    CHECK_FALSE(drift_in(signal, 1, 5000, 15000, [](std::size_t) { return 1.5; }));
    CHECK(drift_in(signal, 1, 15000, 16000, [](std::size_t) { return 6.0; }));
}

TEST_CASE("a drift signal takes batches, and can be told to be silent") {
    drift_signal batches({.window = 100}), silent({.loss_rise = 0, .window = 100});
    bool found = false;
    for (int i = 0; i < 100; ++i)
        found = found || batches.add(0.3 + 0.01 * (i % 3), 32) || silent.add(0.3, 32);
    CHECK_FALSE(found);
    for (int i = 0; i < 10; ++i) {
        found = found || batches.add(2, 32);
        CHECK_FALSE(silent.add(2, 32));
    }
    CHECK(found);
}

TEST_CASE("a drift signal refuses options out of range") {
    CHECK_THROWS_WITH(drift_signal({.loss_rise = 0.5}), ContainsSubstring("expected a factor of at least 1"));
    CHECK_THROWS_WITH(drift_signal({.deviations = -1}), ContainsSubstring("expected at least 0"));
    CHECK_THROWS_WITH(drift_signal({.window = 0}), ContainsSubstring("expected at least 1"));
}
