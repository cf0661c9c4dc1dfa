// SPDX-License-Identifier: MIT
#include "frostline/train/frost_line.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

struct line_under_test {
    small_network network = make_network();
    in_memory_dataset<float> data = images(20);
    observed_store store{};
    frost_line<small_network, observed_store> line{network, store};
    std::vector<std::int32_t> targets{};
    std::vector<std::uint64_t> ids{};

    line_under_test() {
        // Statistics that differ from their start, so that inference does something of its own.
        network.forward(batch_of(data, 0, 20), 0, network.blocks(), {.phase = phase::training});
    }

    tensor<float> input(const std::vector<std::size_t>& indices) {
        return line.input(data, indices, targets, ids);
    }
    tensor<float> expected(const std::vector<std::size_t>& indices, std::size_t until) {
        tensor<float> batch;
        std::vector<std::int32_t> some_targets;
        std::vector<std::uint64_t> some_ids;
        load_batch(data, indices, batch, some_targets, some_ids);
        return network.forward(batch, 0, until, {.phase = phase::inference});
    }
    bool gives(const std::vector<std::size_t>& indices) {
        const auto found = input(indices);
        const auto wanted = expected(indices, line.frozen());
        return found.shape() == wanted.shape() &&
               same_bits({found.data(), found.size()}, {wanted.data(), wanted.size()});
    }
};

}  // namespace

TEST_CASE("a frost line gives what enters the first block that learns, however it is cut") {
    line_under_test f;
    CHECK(f.line.frozen() == 0);
    CHECK(f.line.dropped() == 0);
    for (const auto& [frozen, dropped] : std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 0}, {3, 0}, {3, 1}, {3, 3}, {4, 3}, {5, 0}, {5, 4}, {5, 5}}) {
        INFO("frozen " << frozen << ", dropped " << dropped);
        f.line.move(frozen, dropped);
        CHECK(f.line.frozen() == frozen);
        CHECK(f.line.dropped() == dropped);
        CHECK(f.gives({4, 2, 9}));        // nothing stored yet
        CHECK(f.gives({9, 1, 2, 0, 4}));  // some of it
        CHECK(f.gives({1, 9, 0}));        // all of it
        f.line.take_filled_samples();
    }
}

TEST_CASE("a frost line sizes and fills targets and ids") {
    line_under_test f;
    for (const std::size_t dropped : {0u, 3u}) {
        f.line.move(3, dropped);
        for (int again = 0; again < 2; ++again) {
            f.input({7, 3});
            CHECK(f.targets == std::vector<std::int32_t>{f.data.target(7), f.data.target(3)});
            CHECK(f.ids == std::vector<std::uint64_t>{7, 3});
        }
    }
}

TEST_CASE("a frost line runs only the samples through the dropped blocks that the store misses") {
    line_under_test f;
    f.line.move(3, 0);
    f.input({0, 1, 2});
    CHECK(f.line.take_filled_samples() == 0);
    f.line.move(3, 3);
    f.input({0, 1, 2});
    CHECK(f.line.take_filled_samples() == 3);
    CHECK(f.line.take_filled_samples() == 0);
    f.input({2, 5, 1, 6});
    CHECK(f.line.take_filled_samples() == 2);
    f.input({6, 5});
    CHECK(f.line.take_filled_samples() == 0);
    CHECK(f.store.log->held.bytes() > 0);
}

TEST_CASE("a frost line fills a store that holds nothing at every step") {
    line_under_test f;
    no_feature_store nothing;
    frost_line<small_network, no_feature_store> line(f.network, nothing);
    line.move(4, 3);
    for (int again = 0; again < 2; ++again) {
        const std::vector<std::size_t> indices{8, 2};
        const tensor<float> found = line.input(f.data, indices, f.targets, f.ids);
        const auto wanted = f.expected(indices, 4);
        CHECK(same_bits({found.data(), found.size()}, {wanted.data(), wanted.size()}));
        CHECK(line.take_filled_samples() == 2);
    }
}

TEST_CASE("moving the cut empties the store, and moving the frost line behind it does not") {
    line_under_test f;
    f.line.move(3, 3);
    f.input({0, 1});
    f.line.take_filled_samples();
    f.line.move(5, 3);
    CHECK(f.gives({0, 1}));
    CHECK(f.line.take_filled_samples() == 0);
    f.line.move(4, 3);  // thaws a block that is not dropped
    CHECK(f.gives({0, 1}));
    CHECK(f.line.take_filled_samples() == 0);
    f.line.move(4, 4);
    CHECK(f.store.log->held.bytes() == 0);
    CHECK(f.gives({0, 1}));
    CHECK(f.line.take_filled_samples() == 2);
}

namespace {

/// A frost line with a store that can forget single rows.
struct growing_line : line_under_test {
    memory_feature_store<float> rows{plenty};
    frost_line<small_network, memory_feature_store<float>> growing{network, rows};
    std::map<std::size_t, std::size_t> advanced{};  // samples by the cut they came from

    bool gives(const std::vector<std::size_t>& indices) {
        const tensor<float> found = growing.input(data, indices, targets, ids);
        const auto wanted = expected(indices, growing.frozen());
        growing.take_advanced_samples(
            [&](std::size_t samples, std::size_t from) { advanced[from] += samples; });
        return same_bits({found.data(), found.size()}, {wanted.data(), wanted.size()});
    }
};

}  // namespace

TEST_CASE("a cut that moves towards the output advances what is stored, and computes the rest from images") {
    growing_line f;
    f.growing.move(3, 1);
    CHECK(f.gives({0, 1, 2, 3}));
    CHECK(f.growing.take_filled_samples() == 4);
    const std::size_t before = f.rows.bytes();

    f.growing.move(4, 3);
    CHECK(f.growing.advances());
    CHECK(f.rows.bytes() == before);
    CHECK(f.gives({7, 2, 0, 8}));
    CHECK(f.advanced == std::map<std::size_t, std::size_t>{{1, 2}});
    CHECK(f.growing.take_filled_samples() == 2);
    CHECK(f.gives({7, 2, 0, 8}));
    CHECK(f.advanced[1] == 2);
    CHECK(f.growing.take_filled_samples() == 0);

    // On to the next, while rows still lie at both earlier cuts.
    f.growing.move(5, 5);
    CHECK(f.gives({1, 2, 9, 0, 3}));
    CHECK(f.advanced == std::map<std::size_t, std::size_t>{{1, 4}, {3, 2}});
    CHECK(f.growing.take_filled_samples() == 1);
    CHECK(f.gives({7, 8}));
    CHECK(f.advanced[3] == 4);
    CHECK(f.gives({0, 1, 2, 3, 7, 8, 9}));
    CHECK(f.growing.take_filled_samples() == 0);
    CHECK(f.rows.bytes() < before);
}

TEST_CASE("a cut that moves towards the input, or thaws, leaves nothing to advance") {
    growing_line f;
    f.growing.move(4, 3);
    CHECK(f.gives({0, 1}));
    f.growing.move(4, 4);
    f.growing.move(4, 1);
    CHECK_FALSE(f.growing.advances());
    CHECK(f.rows.bytes() == 0);
    CHECK(f.gives({0, 1}));
    f.growing.move(0, 0);
    f.growing.move(4, 3);
    CHECK_FALSE(f.growing.advances());
    f.growing.take_filled_samples();
    CHECK(f.gives({0, 1}));
    CHECK(f.growing.take_filled_samples() == 2);
    CHECK(f.advanced.empty());
}

TEST_CASE("after thawing below the cut a store that does not forget is asked for other features") {
    line_under_test f;
    f.store.log->forgets = false;
    f.line.move(3, 3);
    f.input({0, 1});
    f.line.move(1, 0);
    for (float& value : f.network.arenas().values()) value *= 1.5f;
    f.line.move(3, 3);
    f.line.take_filled_samples();
    CHECK(f.gives({0, 1}));
    CHECK(f.line.take_filled_samples() == 2);
}

TEST_CASE(
    "a sample that takes over the id of another has its own features from then on, wherever the cut moves") {
    growing_line f;
    f.growing.move(3, 1);
    CHECK(f.gives({0, 1, 2}));
    f.growing.move(5, 3);
    CHECK(f.gives({0}));
    CHECK(f.growing.holds(0));
    CHECK(f.growing.holds(1));
    CHECK_FALSE(f.growing.holds(3));
    // Samples 0 and 1 become what 7 and 8 are: one is stored at the present cut, one at the cut before.
    const std::vector<std::size_t> others{7, 8};
    const tensor<float> rows = f.expected(others, 3);
    f.growing.replace(std::vector<std::uint64_t>{0, 1}, rows);
    CHECK(f.growing.holds(1));
    const std::vector<std::size_t> indices{0, 1};
    const auto replaced = [&] {
        const tensor<float> found = f.growing.input(f.data, indices, f.targets, f.ids);
        const auto wanted = f.expected(others, f.growing.frozen());
        return same_bits({found.data(), found.size()}, {wanted.data(), wanted.size()});
    };
    CHECK(replaced());
    f.growing.move(5, 5);
    CHECK(replaced());
}

TEST_CASE("a frost line that drops nothing keeps nothing of a sample that takes over an id") {
    growing_line f;
    f.growing.move(3, 0);
    f.growing.replace(std::vector<std::uint64_t>{0}, f.expected({7}, 3));
    CHECK(f.rows.bytes() == 0);
    CHECK_FALSE(f.growing.holds(0));
    CHECK(f.gives({0}));
}
