// SPDX-License-Identifier: MIT
#include "frostline/data/batches.hpp"

#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <map>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<std::uint64_t> some_ids(std::size_t count) {
    std::vector<std::uint64_t> ids(count);
    for (std::size_t index = 0; index < count; ++index) ids[index] = 3 * index + 7;
    return ids;
}

std::vector<std::uint64_t> visited(const std::vector<std::uint64_t>& ids,
                                   const std::vector<std::size_t>& order) {
    std::vector<std::uint64_t> result;
    for (const auto index : order) result.push_back(ids[index]);
    return result;
}

in_memory_dataset<float> counting_set(std::size_t samples, sample_shape shape) {
    tensor<float> images;
    resize(images, samples, shape);
    float next = 0;
    for (auto& pixel : images) pixel = next++;
    std::vector<std::int32_t> targets(samples);
    for (std::size_t index = 0; index < samples; ++index)
        targets[index] = static_cast<std::int32_t>(index % 10);
    return {std::move(images), std::move(targets), 10};
}

}  // namespace

TEST_CASE("every sample comes once an epoch, whatever the number of shards") {
    for (const std::size_t size : {1, 2, 7, 100, 1001}) {
        for (const std::size_t shards : {1, 2, 3, 8, 100}) {
            if (shards > size) continue;
            auto order = batch_order(size, 5, 2, shards);
            std::sort(order.begin(), order.end());
            REQUIRE(order.size() == size);
            for (std::size_t index = 0; index < size; ++index) REQUIRE(order[index] == index);
        }
    }
}

TEST_CASE("the order is a function of seed, epoch and shards, and differs between them") {
    const auto order = batch_order(1000, 1, 0, 4);
    CHECK(order == batch_order(1000, 1, 0, 4));
    CHECK(order != batch_order(1000, 2, 0, 4));
    CHECK(order != batch_order(1000, 1, 1, 4));
    CHECK(order != batch_order(1000, 1, 0, 2));
}

TEST_CASE("the order keeps its values from version to version") {
    CHECK(batch_order(8, 1, 0) == std::vector<std::size_t>{6, 4, 3, 0, 5, 1, 7, 2});
    CHECK(batch_order(8, 1, 1, 2) == std::vector<std::size_t>{7, 4, 3, 5, 6, 2, 1, 0});
}

TEST_CASE("ids are visited in the same order however the data set lists them") {
    auto ids = some_ids(101);
    const auto expected = visited(ids, batch_order(ids, 9, 3, 4));
    std::reverse(ids.begin(), ids.end());
    CHECK(visited(ids, batch_order(ids, 9, 3, 4)) == expected);
    std::rotate(ids.begin(), ids.begin() + 17, ids.end());
    CHECK(visited(ids, batch_order(ids, 9, 3, 4)) == expected);
}

TEST_CASE("a sample stays in its shard over epochs and seeds, and shards share every batch equally") {
    const std::size_t shards = 4;
    const auto ids = some_ids(1003);
    std::map<std::uint64_t, std::size_t> shard_of;
    std::vector<std::size_t> sizes(shards, 0);
    const auto first = visited(ids, batch_order(ids, 1, 0, shards));
    for (std::size_t place = 0; place < first.size(); ++place) {
        shard_of[first[place]] = place % shards;
        ++sizes[place % shards];
    }
    CHECK(sizes == std::vector<std::size_t>{251, 251, 251, 250});
    for (const std::uint64_t seed : {1, 2}) {
        for (std::uint64_t epoch = 1; epoch < 4; ++epoch) {
            const auto order = batch_order(ids, seed, epoch, shards);
            for (const auto batch : batches(order, 64, shards)) {
                std::vector<std::size_t> share(shards, 0);
                for (const auto index : batch) ++share[shard_of.at(ids[index])];
                const auto [least, most] = std::minmax_element(share.begin(), share.end());
                CHECK(*most - *least == (batch.size() % shards == 0 ? 0 : 1));
            }
        }
    }
}

TEST_CASE("shards are mixed with respect to where samples stand in the data set") {
    const auto order = batch_order(4000, 1, 0, 2);
    std::size_t even_in_first = 0;
    std::size_t early_in_first = 0;
    for (std::size_t place = 0; place < order.size(); place += 2) {
        even_in_first += order[place] % 2 == 0;
        early_in_first += order[place] < 2000;
    }
    // 1000 of 2000 expected; the deviation is about 22.
    CHECK(even_in_first > 880);
    CHECK(even_in_first < 1120);
    CHECK(early_in_first > 880);
    CHECK(early_in_first < 1120);
}

TEST_CASE("batches cut the order and keep a partial last batch") {
    const auto order = batch_order(10, 1, 0);
    const batches parts(order, 4);
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].size() == 4);
    CHECK(parts[2].size() == 2);
    std::vector<std::size_t> joined;
    for (const auto batch : parts) joined.insert(joined.end(), batch.begin(), batch.end());
    CHECK(joined == order);
    CHECK(parts[1].data() == order.data() + 4);
    CHECK(batches(order, 10).size() == 1);
    CHECK(batches(order, 5).size() == 2);
}

TEST_CASE("batch sizes and shards that do not fit are argument errors") {
    const auto order = batch_order(10, 1, 0);
    CHECK_THROWS_AS(batches(order, 0), argument_error);
    CHECK_THROWS_WITH(batches(order, 0),
                      "the batch size is 0, expected at least 1 and at most 10, the number of samples");
    CHECK_THROWS_WITH(batches(order, 11),
                      "the batch size is 11, expected at least 1 and at most 10, the number of samples");
    CHECK_THROWS_WITH(batches(order, 5, 2),
                      "the batch size is 5, expected a multiple of 2, the number of shards");
    CHECK_THROWS_AS(batches(order, 5, 0), argument_error);
    CHECK_THROWS_WITH(batch_order(10, 1, 0, 0), ContainsSubstring("the number of shards is 0"));
    CHECK_THROWS_WITH(batch_order(10, 1, 0, 11), ContainsSubstring("the number of shards is 11"));
    CHECK_THROWS_AS(batch_order(0, 1, 0), argument_error);
}

TEMPLATE_TEST_CASE("a batch holds the images, targets and ids of its samples", "", float, double) {
    const subset data(counting_set(500, {4, 5, 3}), [] {
        std::vector<std::size_t> odd;
        for (std::size_t index = 1; index < 500; index += 2) odd.push_back(index);
        return odd;
    }());
    const auto order = batch_order(sample_ids(data), 1, 0);
    tensor<TestType> images;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    for (const auto batch : batches(order, 120)) {
        load_batch(data, batch, images, targets, ids);
        REQUIRE(samples_of(images) == batch.size());
        REQUIRE(targets.size() == batch.size());
        REQUIRE(ids.size() == batch.size());
        for (std::size_t row = 0; row < batch.size(); ++row) {
            REQUIRE(ids[row] == 2 * batch[row] + 1);
            REQUIRE(targets[row] == static_cast<std::int32_t>(ids[row] % 10));
            for (std::size_t element = 0; element < 60; ++element) {
                REQUIRE(images.data()[row * 60 + element] == static_cast<TestType>(ids[row] * 60 + element));
            }
        }
    }
}

TEST_CASE("loading after the first batch reuses the buffers, through a partial batch and back") {
    const auto data = counting_set(100, {8, 8, 1});
    const auto order = batch_order(data.size(), 1, 0);
    tensor<float> images;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    const batches parts(order, 40);
    load_batch(data, parts[0], images, targets, ids);
    const auto* pixels = images.data();
    const auto* first_target = targets.data();
    const auto* first_id = ids.data();
    for (const std::size_t number : {2, 0, 1}) {
        load_batch(data, parts[number], images, targets, ids);
        CHECK(images.data() == pixels);
        CHECK(targets.data() == first_target);
        CHECK(ids.data() == first_id);
    }
}

TEST_CASE("a batch that asks for a sample beyond the set is an argument error") {
    const auto data = counting_set(3, {1, 1, 1});
    tensor<float> images;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    const std::vector<std::size_t> indices = {0, 3};
    CHECK_THROWS_WITH(load_batch(data, indices, images, targets, ids),
                      "a batch asks for sample 3 of a data set of 3");
}
