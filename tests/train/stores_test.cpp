// SPDX-License-Identifier: MIT
// Wherever the outputs of dropped blocks lie, training gives the same weights.
#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/data/transforms/cycled_views.hpp"
#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/tiered_feature_store.hpp"
#include "frostline/models/resnet.hpp"
#include "frostline/models/vgg.hpp"
#include "frostline/train/trainer.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

using memory_store = memory_feature_store<float>;
using disk_store = disk_feature_store<float>;
using split_store = tiered_feature_store<float, memory_store, disk_store>;

std::filesystem::path folder() { return std::filesystem::temp_directory_path(); }

disk_store on_disk(std::size_t budget = plenty) { return {folder(), budget}; }
split_store split_at(std::size_t bytes, std::size_t disk_budget = plenty) {
    return {memory_store(bytes), on_disk(disk_budget)};
}

/// The plan's costs that make it drop at the frost line, and use every tier.
template <class Network>
plan_costs eager(const Network& network, std::size_t tiers) {
    auto costs = fixed_costs(network, tiers);
    for (double& seconds : costs.block_seconds) seconds = 1;
    return costs;
}

auto views(std::size_t count, std::size_t number) {
    return cycled_views(augmented(images(count), 1, random_crop{3}, horizontal_flip{}), number);
}

/// Trains with a store.
template <class Network, dataset Data>
std::unique_ptr<test_run<Network>> trained(const Network& network, const any_policy& policy,
                                           training_options options, const Data& data,
                                           any_feature_store<float> store) {
    options.costs = eager(network, store.tiers().size());
    auto run = std::make_unique<test_run<Network>>(network, policy, std::move(store));
    run->trains.run(options, data);
    return run;
}

template <class Network, dataset Data>
void check_all_stores(const Network& network, const any_policy& policy, const training_options& options,
                      const Data& data, std::size_t memory_bytes) {
    const auto recomputed = trained(network, policy, options, data, no_feature_store{});
    const auto in_memory = trained(network, policy, options, data, memory_store(plenty));
    const auto disk = trained(network, policy, options, data, on_disk());
    const auto split = trained(network, policy, options, data, split_at(memory_bytes));
    const auto partly = trained(network, policy, options, data, split_at(memory_bytes, memory_bytes));
    CHECK(recomputed->events.steps.back().dropped == 0);
    CHECK(in_memory->events.steps.back().dropped > 0);
    CHECK(disk->events.steps.back().dropped == in_memory->events.steps.back().dropped);
    CHECK(split->events.steps.back().dropped == in_memory->events.steps.back().dropped);
    CHECK(in_memory->equals(*recomputed));
    CHECK(disk->equals(*recomputed));
    CHECK(split->equals(*recomputed));
    CHECK(partly->equals(*recomputed));

    // More than the memory of the split store holds, so that some of it lay on the disk.
    std::size_t most = 0;
    for (const auto& epoch : split->events.epochs) most = std::max(most, epoch.store_bytes);
    CHECK(most > memory_bytes);

    // As many rows were computed, wherever they lie; and all of them are stored at the end.
    const auto flops = [](const auto& run) { return run->events.ends.back().forward_flops; };
    CHECK(flops(in_memory) == flops(disk));
    CHECK(flops(in_memory) < flops(partly));
    CHECK(flops(in_memory) < flops(recomputed));
    CHECK(disk->events.epochs.back().store_bytes > 0);
}

}  // namespace

TEST_CASE("memory, disk, both and neither give the same weights") {
    check_all_stores(make_network(), answers({1, 2, 2, 3, 3, 4}), options_for(9), images(150), 300'000);
}

TEST_CASE("so they do with views that come again") {
    check_all_stores(make_network(), answers({1, 2, 2, 2, 2, 2, 3}), options_for(14), views(90, 3), 500'000);
}

TEST_CASE("so they do for VGG-11", "[slow]") {
    auto network = vgg11<float>({32, 32, 1}, 10);
    network.initialise(1);
    check_all_stores(network, answers({2, 3, 4, 5}), options_for(6, 60), images(256, 32), 4'000'000);
}

TEST_CASE("so they do for ResNet-18", "[slow]") {
    auto network = resnet18<float>({32, 32, 1}, 10);
    network.initialise(1);
    check_all_stores(network, answers({2, 3, 4}), options_for(5, 60), images(120, 32), 400'000);
}

TEST_CASE("with views, the first pass over each fills the store and later ones read it") {
    const auto run =
        trained(make_network(), answers({2}), options_for(10), views(64, 3), memory_store(plenty));
    const auto& epochs = run->events.epochs;
    const auto& network = run->trained;
    double dropped_flops = 0, all = 0;
    for (std::size_t block = 0; block < network.blocks(); ++block) {
        const auto flops = static_cast<double>(network.block(block).flops.forward);
        all += 64 * flops;
        if (block < boundary_of[2]) dropped_flops += 64 * flops;
    }
    REQUIRE(run->events.moves.size() == 1);
    CHECK(run->events.moves[0].dropped == boundary_of[2]);
    for (std::size_t epoch = 0; epoch < 10; ++epoch) {
        INFO("epoch " << epoch);
        CHECK(static_cast<double>(epochs[epoch].forward_flops) == (epoch < 4 ? all : all - dropped_flops));
    }
    CHECK(epochs[3].store_bytes > epochs[2].store_bytes);
    CHECK(epochs[9].store_bytes == epochs[3].store_bytes);
}

TEST_CASE("a cut that moves on costs the forward passes of the blocks between, and no more") {
    const auto data = images(64);
    const auto grown =
        trained(make_network(), answers({1, 1, 3}), options_for(6), data, memory_store(plenty));
    const auto& network = grown->trained;
    const auto flops = [&](std::size_t first, std::size_t last) {
        std::uint64_t sum = 0;
        for (std::size_t block = first; block < last; ++block) sum += 64 * network.block(block).flops.forward;
        return sum;
    };
    const std::size_t first = boundary_of[1], second = boundary_of[3], all = network.blocks();
    const auto& epochs = grown->events.epochs;
    CHECK(epochs[1].forward_flops == flops(0, all));       // fills from images
    CHECK(epochs[2].forward_flops == flops(first, all));   // reads
    CHECK(epochs[3].forward_flops == flops(first, all));   // advances
    CHECK(epochs[4].forward_flops == flops(second, all));  // reads
    const auto recomputed =
        trained(make_network(), answers({1, 1, 3}), options_for(6), data, no_feature_store{});
    CHECK(grown->equals(*recomputed));
}

TEST_CASE("a disk that is full changes no weight, and is told once", "[slow]") {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const auto data = images(70);
    const auto recomputed = trained(make_network(), answers({2}), options_for(5), data, no_feature_store{});
    for (const rlim_t bytes : {0, 1, 3135, 3136, 3137, 100'000}) {
        INFO("files of at most " << bytes << " bytes");
        test_run run(make_network(), answers({2}), on_disk());
        auto options = options_for(5);
        options.costs = eager(run.trained, 1);
        std::vector<std::string> failures;
        auto on_failure = [&](const store_failed& event) { failures.push_back(event.reason); };
        trainer trains(run.trained, softmax_cross_entropy<float>{}, run.optimiser, weight_change{},
                       answers({2}), on_disk(), on_failure, run.events);
        rlimit now = before;
        now.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &now);
        trains.run(options, data);
        ::setrlimit(RLIMIT_FSIZE, &before);
        CHECK(run.equals(*recomputed));
        CHECK(run.events.steps.back().dropped > 0);
        REQUIRE(failures.size() == 1);
        CHECK_THAT(failures[0], ContainsSubstring("File too large"));
    }
}

TEST_CASE("damage on the disk in the middle of a run changes no weight") {
    const auto data = images(70);
    const auto recomputed = trained(make_network(), answers({2}), options_for(6), data, no_feature_store{});
    test_run run(make_network(), answers({2}), on_disk());
    auto options = options_for(6);
    options.costs = eager(run.trained, 1);
    std::size_t damaged = 0;
    run.events.on_step = [&](const step_finished& step) {
        if (step.epoch < 2) return;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code gone;
            const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
            if (!target.starts_with(folder().string()) || !target.ends_with(" (deleted)")) continue;
            const int file = ::open(entry.path().c_str(), O_RDWR);
            if (file < 0) continue;
            if (step.epoch == 4 && step.step % 2 == 0) {
                damaged += ::ftruncate(file, 10'000) == 0;
            } else {
                const unsigned char noise = 0x5a;
                for (off_t place = 100; place < 200'000; place += 7919)
                    damaged += ::pwrite(file, &noise, 1, place) == 1;
            }
            ::close(file);
        }
    };
    run.trains.run(options, data);
    CHECK(damaged > 0);
    CHECK(run.equals(*recomputed));
    CHECK(run.events.ends.back().forward_flops > 0);
}

TEST_CASE("a lossy store is not exact, and close") {
    using half = memory_feature_store<float, bfloat16_encoding>;
    const auto data = images(100);
    const auto exact = trained(make_network(), answers({2}), options_for(4), data, memory_store(4'000'000));
    const auto lossy = trained(make_network(), answers({2}), options_for(4), data, half(4'000'000));
    CHECK_FALSE(lossy->equals(*exact));
    CHECK(lossy->events.epochs.back().train_loss ==
          Catch::Approx(exact->events.epochs.back().train_loss).epsilon(0.1));
    CHECK(lossy->events.epochs.back().store_bytes < exact->events.epochs.back().store_bytes);
}

TEST_CASE("the costs of the plan are measured at the first freeze, and told once") {
    const auto data = images(70);
    test_run run(make_network(), answers({0, 1, 2}), memory_store(plenty));
    auto options = options_for(5);
    options.costs.reset();
    std::vector<plan_costs_known> told;
    auto note = [&](const plan_costs_known& event) { told.push_back(event); };
    trainer trains(run.trained, softmax_cross_entropy<float>{}, run.optimiser, weight_change{},
                   answers({0, 1, 2}), any_feature_store<float>(memory_store(plenty)), note, run.events);
    trains.run(options, data);
    REQUIRE(told.size() == 1);
    CHECK(told[0].epoch == 2);
    CHECK(told[0].costs.block_seconds.size() == run.trained.blocks());
    CHECK(told[0].row_bytes.size() == run.trained.blocks());
    REQUIRE(told[0].costs.tiers.size() == 1);
    CHECK(told[0].costs.tiers[0].read_bytes_per_second > 0);
    CHECK(told[0].grows);
    for (const double seconds : told[0].costs.block_seconds) CHECK(seconds > 0);
    REQUIRE_FALSE(run.events.moves.empty());
    CHECK(run.events.moves[0].options.size() == 1 + boundary_of[1]);

    // Given, they are told at the start.
    options.costs = told[0].costs;
    trains.run(options, data);
    REQUIRE(told.size() == 2);
    CHECK(told[1].step == 0);
    options.costs->tiers.clear();
    CHECK_THROWS_AS(trains.run(options, data), argument_error);
}
