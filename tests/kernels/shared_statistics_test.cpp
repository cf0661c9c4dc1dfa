// SPDX-License-Identifier: MIT
#include "frostline/kernels/shared_statistics.hpp"

#include "frostline/core/random.hpp"
#include "frostline/kernels/normalisation.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

using namespace frostline;
using kernels::shared_statistics;

namespace {

constexpr std::size_t channels = 3, rows_here = 5, rows_there = 12, rows = rows_here + rows_there;

// Notes what the other process hands over, and adds it to what this one does.
struct other_process {
    std::vector<double> theirs{};
    bool adds = false;

    void operator()(std::span<double> numbers) {
        if (!adds) {
            theirs.assign(numbers.begin(), numbers.end());
            return;
        }
        REQUIRE(numbers.size() == theirs.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += theirs[i];
    }
};

std::vector<double> noise(std::uint64_t seed, double centre) {
    std::vector<double> values(rows * channels);
    const random_stream draws(seed, purpose::user);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = centre + draws.normal(i);
    return values;
}

struct statistics {
    std::vector<double> mean = std::vector<double>(channels), variance = std::vector<double>(channels);

    statistics(std::size_t count, const double* z) {
        std::vector<double> scratch(kernels::column_scratch_size(count, channels));
        kernels::column_statistics(count, channels, z, mean.data(), variance.data(), scratch.data());
    }
};

bool near(const std::vector<double>& left, const std::vector<double>& right) {
    for (std::size_t c = 0; c < channels; ++c)
        if (std::abs(left[c] - right[c]) > 1e-12 * (1 + std::abs(right[c]))) return false;
    return true;
}

}  // namespace

TEST_CASE("statistics of two shares are those of all rows") {
    for (const double centre : {0.0, 100.0}) {
        const auto z = noise(1, centre);
        const std::vector<double> pivot(channels, centre + 0.5);
        const statistics all(rows, z.data());
        statistics here(rows_here, z.data()), there(rows_there, z.data() + rows_here * channels);
        other_process other;
        shared_statistics shared;
        shared.start(batch_reduction::by(other));
        shared.combine(rows_there, channels, pivot.data(), there.mean.data(), there.variance.data());
        other.adds = true;
        CHECK(shared.combine(rows_here, channels, pivot.data(), here.mean.data(), here.variance.data()) ==
              rows);
        CHECK(near(here.mean, all.mean));
        CHECK(near(here.variance, all.variance));
    }
}

TEST_CASE("what a share's backward pass divides by its own rows is the mean over all") {
    const std::vector<double> sums{1, -2, 3}, others{4, 5, -6};
    std::vector<double> pivot(channels), mean(channels), variance(channels, 1);
    other_process other;
    shared_statistics shared;
    shared.start(batch_reduction::by(other));
    other.theirs.assign(2 * channels + 1, 0.0);
    other.theirs.back() = rows_there;
    other.adds = true;
    shared.combine(rows_here, channels, pivot.data(), mean.data(), variance.data());
    other.theirs.assign(others.begin(), others.end());
    other.theirs.insert(other.theirs.end(), others.begin(), others.end());
    auto sum_dy = sums, sum_dy_xhat = others;
    shared.share(channels, sum_dy.data(), sum_dy_xhat.data());
    for (std::size_t c = 0; c < channels; ++c) {
        CHECK(sum_dy[c] / rows_here == Catch::Approx((sums[c] + others[c]) / rows));
        CHECK(sum_dy_xhat[c] / rows_here == Catch::Approx(2 * others[c] / rows));
    }
}

TEST_CASE("where a process has all rows nothing changes by a bit") {
    std::vector<double> pivot{9, 9, 9}, mean{0.1, 0.2, 0.3}, variance{1.1, 1.2, 1.3};
    const auto mean_before = mean, variance_before = variance;
    shared_statistics shared;
    shared.start({});
    CHECK(shared.combine(7, channels, pivot.data(), mean.data(), variance.data()) == 7);
    shared.share(channels, mean.data(), variance.data());
    CHECK(mean == mean_before);
    CHECK(variance == variance_before);
}
