// SPDX-License-Identifier: MIT
// Same seed, same result.
#include "frostline/train/trainer.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"

using namespace small_run;

namespace {

floats weights_after(const training_options& options, const in_memory_dataset<float>& data,
                     std::uint64_t seed = 1) {
    test_run run(make_network(seed), answers({0, 2, 3}), memory_feature_store<float>(plenty));
    run.trains.run(options, data);
    return run.weights();
}

}  // namespace

TEST_CASE("the same seed and number of threads give the same weights, to the bit") {
    const auto data = images(150);
    const int count = GENERATE(1, 2);
    const with_threads threads(count);
    auto options = options_for(5);
    const auto weights = weights_after(options, data);
    for (int again = 0; again < 2; ++again) CHECK(same_bits(weights_after(options, data), weights));

    CHECK_FALSE(same_bits(weights_after(options, data, 2), weights));
    options.seed = 8;
    CHECK_FALSE(same_bits(weights_after(options, data), weights));
}

TEST_CASE("a run in shards sees every sample once an epoch and is reproducible") {
    const auto data = images(150);
    auto options = options_for(4);
    const auto one_shard = weights_after(options, data);
    options.shards = 4;
    const auto weights = weights_after(options, data);
    CHECK(same_bits(weights_after(options, data), weights));
    CHECK_FALSE(same_bits(weights, one_shard));

    test_run run(make_network(), answers({0}));
    run.trains.run(options, data);
    std::size_t seen = 0;
    for (const auto& step : run.events.steps) seen += step.samples;
    CHECK(seen == 4 * 150);
}
