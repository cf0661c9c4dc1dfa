// SPDX-License-Identifier: MIT
#include "frostline/data/batch_loader.hpp"

#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"

#include <atomic>
#include <memory>
#include <type_traits>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

in_memory_dataset<float> numbered(std::size_t samples) {
    tensor<float> images;
    resize(images, samples, {8, 8, 1});
    float next = 0;
    for (auto& pixel : images) pixel = next++;
    std::vector<std::int32_t> targets(samples);
    for (std::size_t index = 0; index < samples; ++index)
        targets[index] = static_cast<std::int32_t>(index % 7);
    return {std::move(images), std::move(targets), 7};
}

struct buffers {
    tensor<float> images;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;

    bool operator==(const buffers& other) const {
        return images == other.images && targets == other.targets && ids == other.ids;
    }
};

struct damaged_set {
    in_memory_dataset<float> data = numbered(20);
    std::shared_ptr<std::atomic<int>> reads = std::make_shared<std::atomic<int>>(0);

    std::size_t size() const { return data.size(); }
    sample_shape shape() const { return data.shape(); }
    std::size_t classes() const { return data.classes(); }
    std::uint64_t sample_id(std::size_t index) const { return index; }
    std::int32_t target(std::size_t index) const { return data.target(index); }
    template <class T>
    void read(std::size_t index, std::span<T> pixels) const {
        ++*reads;
        require<data_error>(index != 13, "sample 13 is damaged");
        data.read(index, pixels);
    }
};

}  // namespace

TEST_CASE("batches that are loaded ahead are those that are loaded when they are needed, epoch by epoch") {
    const with_threads guard(GENERATE(1, 2, 3));
    const augmented data(numbered(50), 3, random_crop{2}, horizontal_flip{});
    batch_loader<float, std::remove_const_t<decltype(data)>> loader(data);
    buffers found, expected;
    for (std::uint32_t epoch = 0; epoch < 4; ++epoch) {
        const auto order = batch_order(50, 1, epoch);
        const batches all(order, 12);
        loader.start(all, epoch);
        for (const auto batch : all) {
            loader.next(found.images, found.targets, found.ids);
            load_batch(data, batch, expected.images, expected.targets, expected.ids, epoch);
            REQUIRE(found == expected);
        }
        CHECK_THROWS_WITH(loader.next(found.images, found.targets, found.ids),
                          ContainsSubstring("behind the last one"));
    }
}

TEST_CASE("an epoch can end early and another begin, and the order may go before the loader") {
    const auto data = numbered(40);
    batch_loader<float, in_memory_dataset<float>> loader(data);
    buffers found;
    for (std::uint32_t epoch = 0; epoch < 20; ++epoch) {
        const auto order = batch_order(40, 1, epoch);
        loader.start(batches(order, 10), epoch);
        loader.next(found.images, found.targets, found.ids);
        CHECK(found.ids[3] == order[3]);
    }
}

TEST_CASE("an epoch can begin with any of its batches, or behind the last one") {
    const auto data = numbered(40);
    batch_loader<float, in_memory_dataset<float>> loader(data);
    buffers found;
    const auto order = batch_order(40, 1, 0);
    loader.start(batches(order, 10), 0, 3);
    loader.next(found.images, found.targets, found.ids);
    CHECK(found.ids[0] == order[30]);
    loader.start(batches(order, 10), 0, 4);
    CHECK_THROWS_WITH(loader.next(found.images, found.targets, found.ids),
                      ContainsSubstring("behind the last one"));
}

TEST_CASE("never more than one batch is loaded ahead") {
    const damaged_set data;
    batch_loader<float, damaged_set> loader(data);
    std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    buffers found;
    loader.start(batches(order, 2), 0);
    for (int batch = 0; batch < 4; ++batch) {
        loader.next(found.images, found.targets, found.ids);
        CHECK(*data.reads >= 2 * (batch + 1));
        CHECK(*data.reads <= 2 * (batch + 2));
    }
}

TEST_CASE("a sample that cannot be read is an error of the batch that it is in") {
    const damaged_set data;
    batch_loader<float, damaged_set> loader(data);
    const std::vector<std::size_t> order = {0, 1, 2, 3, 13, 5, 6, 7};
    const std::vector<std::size_t> good = {5, 6};
    buffers found;
    for (int again = 0; again < 3; ++again) {
        loader.start(batches(order, 2), 0);
        loader.next(found.images, found.targets, found.ids);
        loader.next(found.images, found.targets, found.ids);
        CHECK(found.ids == std::vector<std::uint64_t>{2, 3});
        CHECK_THROWS_AS(loader.next(found.images, found.targets, found.ids), data_error);
        // Not the batch before once more.
        CHECK_THROWS_AS(loader.next(found.images, found.targets, found.ids), argument_error);
        loader.start(batches(good, 2), 0);
        loader.next(found.images, found.targets, found.ids);
        CHECK(found.ids == std::vector<std::uint64_t>{5, 6});
    }
}
