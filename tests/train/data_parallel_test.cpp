// SPDX-License-Identifier: MIT
// What needs no second process; the rest is in tests/distributed/mpi.
#include "frostline/train/data_parallel.hpp"

#include "frostline/testing/archetypes.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <vector>

using namespace small_run;

namespace {

// One of several processes, the others of which have nothing to add.
struct one_of : single_process {
    std::size_t number, count;

    one_of(std::size_t of_this, std::size_t of_all) : number(of_this), count(of_all) {}
    std::size_t rank() const { return number; }
    std::size_t size() const { return count; }
};

}  // namespace

TEST_CASE("processes divide an order of samples, each batch in equal shares, and always the same samples") {
    auto network = make_network();
    const training_options options{.batch_size = 12, .seed = 5, .shards = 6};
    std::vector<std::uint64_t> ids(40);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = 3 * i;
    std::vector<std::size_t> seen;
    for (std::size_t rank = 0; rank < 3; ++rank) {
        one_of process(rank, 3);
        data_parallel<small_network, one_of> together(network, process, options, ids.size());
        CHECK(together.first() == (rank == 0));
        const auto mine = together.mine(ids, options);
        for (const std::size_t epoch : {0u, 4u}) {
            const auto order = batch_order(ids, options.seed, epoch, options.shards);
            const auto share = together.share(order);
            const batches all(order, 12, 6), shares(share, 4, 2);
            REQUIRE(shares.size() == all.size());
            for (std::size_t number = 0; number < all.size(); ++number)
                for (const std::size_t index : shares[number]) {
                    CHECK(std::count(all[number].begin(), all[number].end(), index) == 1);
                    CHECK(mine[index]);
                }
            if (epoch == 0) seen.insert(seen.end(), share.begin(), share.end());
        }
    }
    std::sort(seen.begin(), seen.end());
    CHECK(seen.size() == 40);
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("processes need shards that they divide, and a sample each in the last batch") {
    auto network = make_network();
    one_of process(1, 4);
    using together = data_parallel<small_network, one_of>;
    CHECK_THROWS_AS(together(network, process, {.batch_size = 12, .shards = 6}, 24), argument_error);
    CHECK_THROWS_AS(together(network, process, {.batch_size = 8, .shards = 4}, 19), argument_error);
    CHECK_NOTHROW(together(network, process, {.batch_size = 8, .shards = 4}, 20));
    CHECK_NOTHROW(together(network, process, {.batch_size = 8, .shards = 4}, 16));
}

TEST_CASE("a run takes any communicator, and a communicator of one process changes nothing") {
    const auto data = images(64);
    test_run<> alone(make_network(), answers({1, 2}), memory_feature_store<float>(plenty));
    test_run<> one(make_network(), answers({1, 2}), memory_feature_store<float>(plenty));
    alone.trains.run(options_for(3), data);
    communicator_archetype process;
    auto options = options_for(3);
    options.synchronise_batch_norm = true;
    one.trains.run(options, data, {}, {}, {}, {}, process);
    CHECK(one.equals(alone));
}
