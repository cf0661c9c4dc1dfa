// SPDX-License-Identifier: MIT
// Training on data that are augmented at random.
#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/train/trainer.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"

#include <mutex>
#include <set>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

auto augmented_images(std::size_t count, std::uint64_t seed = 1) {
    return augmented(images(count), seed, random_crop{3}, horizontal_flip{});
}

/// Notes which views of which samples are read.
struct observed_views {
    struct log {
        std::mutex mutex;
        std::map<std::uint32_t, std::set<std::size_t>> read;
    };
    in_memory_dataset<float> data;
    bool differ = true;
    std::shared_ptr<log> seen = std::make_shared<log>();

    std::size_t size() const { return data.size(); }
    sample_shape shape() const { return data.shape(); }
    std::size_t classes() const { return data.classes(); }
    std::uint64_t sample_id(std::size_t index) const { return data.sample_id(index); }
    std::int32_t target(std::size_t index) const { return data.target(index); }
    bool random() const { return differ; }
    template <class T>
    void read(std::size_t index, std::span<T> pixels) const {
        data.read(index, pixels);
    }
    template <class T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        {
            const std::lock_guard lock(seen->mutex);
            seen->read[view].insert(index);
        }
        data.read(index, pixels);
    }
};

}  // namespace

TEST_CASE("each epoch trains on a view of its own of every sample") {
    const observed_views data{images(50)};
    test_run run(make_network(), answers({0, 2}), memory_feature_store<float>(plenty));
    run.trains.run(options_for(4), data);
    REQUIRE(data.seen->read.size() == 4);
    for (std::uint32_t epoch = 0; epoch < 4; ++epoch) CHECK(data.seen->read.at(epoch).size() == 50);
}

TEST_CASE("blocks freeze and none is dropped where every epoch sees other views") {
    test_run run(make_network(), answers({0, 2}), memory_feature_store<float>(plenty));
    run.trains.run(options_for(6), augmented_images(100));
    CHECK(run.events.steps.back().frozen == boundary_of[2]);
    CHECK(run.events.steps.back().dropped == 0);
    CHECK(run.events.epochs.back().store_bytes == 0);
    REQUIRE(run.events.moves.size() == 1);
    CHECK_THAT(run.events.moves[0].reason,
               ContainsSubstring("the training set is augmented at random, so that no output comes twice"));

    // The same where there could be views, and are none.
    test_run still(make_network(), answers({0, 2}), memory_feature_store<float>(plenty));
    still.trains.run(options_for(6), observed_views{images(100), false});
    CHECK(still.events.steps.back().dropped > 0);
}

TEST_CASE("a store never makes a difference to training on random views") {
    test_run stored(make_network(), answers({1, 3}), memory_feature_store<float>(plenty));
    test_run recomputed(make_network(), answers({1, 3}), no_feature_store{});
    stored.trains.run(options_for(5), augmented_images(90));
    recomputed.trains.run(options_for(5), augmented_images(90));
    CHECK(stored.equals(recomputed));
}

TEST_CASE("a run on random views repeats to the bit, and depends on the seed of the views") {
    const with_threads guard(GENERATE(1, 2));
    const auto trained_with = [](std::uint64_t seed) {
        test_run run(make_network(), answers({0, 2}));
        run.trains.run(options_for(3), augmented_images(70, seed));
        return run.weights();
    };
    const auto weights = trained_with(1);
    CHECK(same_bits(trained_with(1), weights));
    CHECK_FALSE(same_bits(trained_with(2), weights));
}

TEST_CASE("a frost line never takes the features of one view for those of another") {
    auto network = make_network();
    const auto data = augmented_images(20);
    memory_feature_store<float> store(plenty);
    frost_line<small_network, memory_feature_store<float>> line(network, store);
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    const std::vector<std::size_t> indices{3, 8, 5};
    line.move(3, 0);
    const auto input = [&](std::size_t dropped, std::uint32_t view) {
        if (line.dropped() != dropped) line.move(3, dropped);
        return tensor<float>(line.input(data, indices, targets, ids, view));
    };
    const auto first = input(0, 4), second = input(0, 5);
    CHECK_FALSE(same_bits({first.data(), first.size()}, {second.data(), second.size()}));
    for (int again = 0; again < 2; ++again) {
        const auto first_stored = input(3, 4), second_stored = input(3, 5);
        CHECK(same_bits({first.data(), first.size()}, {first_stored.data(), first.size()}));
        CHECK(same_bits({second.data(), second.size()}, {second_stored.data(), second.size()}));
        CHECK(line.take_filled_samples() == (again == 0 ? 6 : 0));
    }
}
