// SPDX-License-Identifier: MIT
#include "frostline/compose/network.hpp"

#include "compose/small_network.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <set>

using namespace frostline;
using namespace small;
using Catch::Matchers::ContainsSubstring;
using standalone::random_tensor;
using standalone::same_bits;

TEST_CASE("a network numbers its blocks through all stages, the empty ones included") {
    auto without = make<float>(0), with = make<float>(2);
    CHECK(without.blocks() == 6);
    CHECK(with.blocks() == 8);
    CHECK(with.input_shape() == input);
    CHECK(with.output_shape() == sample_shape{1, 1, classes});
    CHECK(with.shape_at(0) == input);
    CHECK(with.shape_at(2) == sample_shape{8, 6, 5});
    CHECK(with.shape_at(3) == sample_shape{4, 3, 5});
    CHECK(with.shape_at(6) == sample_shape{4, 3, 5});
    CHECK(with.shape_at(7) == sample_shape{2, 2, 6});
    CHECK(with.shape_at(8) == with.output_shape());
    for (std::size_t index = 0; index < with.blocks(); ++index) {
        CHECK(with.block(index).input == with.shape_at(index));
        CHECK(with.block(index).output == with.shape_at(index + 1));
    }
    // visit finds the block that for_each_block meets at this place.
    std::size_t index = 0;
    with.for_each_block([&](const auto& block) {
        std::size_t visits = 0;
        with.visit(index, [&](const auto& visited, const auto&) {
            CHECK(static_cast<const void*>(&visited) == static_cast<const void*>(&block));
            ++visits;
        });
        CHECK(visits == 1);
        ++index;
    });
    CHECK(index == 8);
    bool visited = false;
    with.visit(8, [&](const auto&, const auto&) { visited = true; });
    CHECK_FALSE(visited);
}

TEST_CASE("a network describes what each block costs and holds") {
    const auto network = make<float>(1);
    CHECK(network.block(0).parameters == 9 * 2 * 4 + 2 * 4);
    CHECK(network.block(2).parameters == 0);
    CHECK_FALSE(network.block(2).learns());
    CHECK(network.block(3).parameters == 9 * 5 * 5 + 5);
    CHECK(network.block(5).parameters == 9 * 5 * 6 + 2 * 6 + 5 * 6 + 2 * 6);
    CHECK(network.block(6).parameters == 6 * 3 + 3);
    CHECK(network.block(0).flops.forward == 2 * 8 * 6 * 9 * 2 * 4);
    CHECK(network.block(2).flops == flop_counts{});
    std::size_t total = 0;
    for (std::size_t index = 0; index < network.blocks(); ++index) total += network.block(index).parameters;
    CHECK(network.parameters() == total);
}

TEST_CASE("a network's parameters lie in the arenas in order, aligned, without overlap, and cover them") {
    auto network = make<float>(1);
    const auto& slices = network.slices();
    const auto values = network.arenas().values();
    CHECK(network.arenas().gradients().size() == values.size());
    std::vector<int> covered(values.size(), 0);
    std::size_t number = 0, learnt = 0, end = 0, last_block = 0;
    network.for_each_parameter([&](parameter<float>& item) {
        REQUIRE(number < slices.size());
        const auto& slice = slices[number++];
        CHECK(item.value == values.data() + slice.offset);
        CHECK(item.gradient == network.arenas().gradients().data() + slice.offset);
        CHECK(reinterpret_cast<std::uintptr_t>(item.value) % 64 == 0);
        CHECK(reinterpret_cast<std::uintptr_t>(item.gradient) % 64 == 0);
        CHECK(slice.size == item.size());
        CHECK(slice.decays == item.decays);
        // Behind the one before, with no gap but the padding to a cache line.
        CHECK(slice.offset == (end + 15) / 16 * 16);
        CHECK(slice.block >= last_block);
        last_block = slice.block;
        end = slice.offset + slice.size;
        for (std::size_t i = slice.offset; i < end; ++i) ++covered[i];
        learnt += slice.size;
        const auto& block = network.block(slice.block);
        CHECK(slice.offset >= block.first_value);
        CHECK(end <= block.last_value);
    });
    CHECK(number == slices.size());
    CHECK(values.size() == (end + 15) / 16 * 16);
    CHECK(learnt == network.parameters());
    for (std::size_t i = 0; i < covered.size(); ++i)
        if (covered[i] == 0) CHECK(values[i] == 0);
    CHECK(std::all_of(covered.begin(), covered.end(), [](int times) { return times <= 1; }));
    // Blocks follow one another without a gap, a block without parameters has none.
    CHECK(network.block(0).first_value == 0);
    for (std::size_t index = 1; index < network.blocks(); ++index)
        CHECK(network.block(index).first_value == network.block(index - 1).last_value);
    CHECK(network.block(2).first_value == network.block(2).last_value);
    CHECK(network.block(network.blocks() - 1).last_value == values.size());
}

TEST_CASE("a copy of a network has its bits and lives on its own") {
    auto network = make<float>(1);
    train_step(network, "one");
    auto copy = network;
    CHECK(copy.blocks() == network.blocks());
    CHECK(copy.arenas().values().data() != network.arenas().values().data());
    CHECK(values_of(copy) == values_of(network));
    CHECK(gradients_of(copy) == gradients_of(network));
    CHECK(statistics_of(copy) == statistics_of(network));
    std::size_t number = 0;
    copy.for_each_parameter([&](parameter<float>& item) {
        CHECK(item.value == copy.arenas().values().data() + copy.slices()[number++].offset);
    });
    const auto x = random_tensor<float>(3, input, "x");
    const tensor<float> predicted = network.predict(x);
    CHECK(same_bits(copy.predict(x), predicted));

    const auto before = values_of(network);
    const auto statistics = statistics_of(network);
    train_step(copy, "two");
    CHECK(values_of(network) == before);
    CHECK(statistics_of(network) == statistics);
    CHECK(same_bits(network.predict(x), predicted));
    CHECK_FALSE(same_bits(copy.predict(x), predicted));
    // The same training gives the same bits in both.
    train_step(network, "two");
    CHECK(values_of(network) == values_of(copy));
    CHECK(statistics_of(network) == statistics_of(copy));

    auto assigned = make<float>(0);
    assigned = copy;
    CHECK(assigned.blocks() == 7);
    CHECK(same_bits(assigned.predict(x), copy.predict(x)));
    train_step(assigned, "three");
    train_step(copy, "three");
    CHECK(values_of(assigned) == values_of(copy));
}

TEST_CASE("a moved network goes on where it was") {
    auto network = make<float>(1), reference = network;
    train_step(network, "one");
    train_step(reference, "one");
    auto moved = std::move(network);
    train_step(moved, "two");
    train_step(reference, "two");
    CHECK(values_of(moved) == values_of(reference));

    auto target = make<float>(0);
    target = std::move(moved);
    train_step(target, "three");
    train_step(reference, "three");
    CHECK(values_of(target) == values_of(reference));
    CHECK(statistics_of(target) == statistics_of(reference));
}

TEST_CASE("a network names the parameters of layers without a name by their place") {
    using unnamed = network<conv2d<float>, conv2d_batch_norm<float>>;
    unnamed made({8, 8, 1}, {conv2d<float>({}), conv2d<float>({.padding = 1})},
                 {conv2d_batch_norm<float>({})});
    std::vector<std::string> names;
    const auto note = [&](const auto& item) { names.push_back(item.name); };
    made.for_each_parameter(note);
    made.for_each_buffer(note);
    CHECK(names.size() == 9);
    for (const auto& name : names) CHECK(name.starts_with("block"));
    CHECK(names[0].starts_with("block0."));
    CHECK(names[0].ends_with(".weight"));
    CHECK(names[3].starts_with("block1."));
    CHECK(names[3].ends_with(".bias"));
    CHECK(names[8].starts_with("block2."));
    CHECK(names[8].ends_with(".running_var"));
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    // A copy keeps the names.
    auto copy = made;
    std::vector<std::string> copied;
    copy.for_each_parameter([&](const auto& item) { copied.push_back(item.name); });
    copy.for_each_buffer([&](const auto& item) { copied.push_back(item.name); });
    CHECK(copied == names);
    // Layers of one name each start from draws of their own.
    CHECK(made.arenas().values()[0] != made.arenas().values()[made.slices()[2].offset]);
}

TEST_CASE("a network with two parameters of one name is an argument error") {
    using pair = network<conv2d<float>>;
    const auto build = [] {
        pair({8, 8, 1}, {conv2d<float>({.name = "twin"}), conv2d<float>({.name = "twin"})});
    };
    CHECK_THROWS_AS(build(), argument_error);
    CHECK_THROWS_WITH(
        build(),
        "network: two parameters or buffers are called 'twin.weight': give their layers different names");
}

TEST_CASE("a network without blocks is an argument error, and one whose blocks do not fit a shape error") {
    using single = network<conv2d<float>, linear<float>>;
    CHECK_THROWS_AS(single({4, 4, 1}, {}, {}), argument_error);
    CHECK_THROWS_WITH(single({4, 4, 1}, {}, {}), "network: there is no block");
    const auto build = [] {
        single({4, 4, 1}, {conv2d<float>({.name = "conv"})},
               {linear<float>({.name = "fc", .inputs = 5, .outputs = 2})});
    };
    CHECK_THROWS_AS(build(), shape_error);
    CHECK_THROWS_WITH(build(),
                      ContainsSubstring("linear 'fc' takes 5 values a sample, but its input 2x2x1 has 4"));
}

TEST_CASE("a network rejects samples of another shape and names the block") {
    auto network = make<float>(1);
    const auto wrong = random_tensor<float>(2, {8, 6, 3}, "x");
    CHECK_THROWS_AS(network.predict(wrong), shape_error);
    CHECK_THROWS_WITH(network.predict(wrong), "network: block 0 takes samples of 8x6x2, but was given 8x6x3");
    CHECK_THROWS_WITH(network.forward(wrong, 3, 5, training),
                      "network: block 3 takes samples of 4x3x5, but was given 8x6x3");
}

TEST_CASE("a network rejects a batch of no samples, and flags that are not one for each block") {
    auto network = make<float>(1);
    const auto none = random_tensor<float>(0, input, "x"), x = random_tensor<float>(2, input, "x");
    auto dy = random_tensor<float>(2, network.output_shape(), "dy");
    CHECK_THROWS_AS(network.predict(none), shape_error);
    CHECK_THROWS_WITH(network.forward(none, 0, 7, training),
                      "network: a batch has at least one sample, this one has none");
    const std::vector<bool> flags(6);
    CHECK_THROWS_WITH(network.forward(x, 0, 7, training, flags),
                      "network: found 6 flags for frozen blocks, expected none or one for each of 7 blocks");
    network.forward(x, 0, 7, training);
    CHECK_THROWS_AS(network.backward(x, dy, 0, 7, gradients::parameters, flags), argument_error);
}

TEST_CASE("a network rejects what is no range of its blocks") {
    auto network = make<float>(1);
    const auto x = random_tensor<float>(2, input, "x");
    auto dy = random_tensor<float>(2, network.output_shape(), "dy");
    CHECK_THROWS_AS(network.forward(x, 0, 8, training), argument_error);
    CHECK_THROWS_WITH(network.forward(x, 0, 8, training), "network: [0, 8) is not a range of its 7 blocks");
    CHECK_THROWS_WITH(network.forward(x, 3, 2, inference), "network: [3, 2) is not a range of its 7 blocks");
    CHECK_THROWS_AS(network.backward(x, dy, 0, 8), argument_error);
    CHECK_THROWS_WITH(network.backward(x, dy, 5, 4), "network: [5, 4) is not a range of its 7 blocks");
    CHECK_THROWS_AS(network.forget(0, 8), argument_error);
    CHECK(same_bits(network.forward(x, 0, 0, training), x));
}

TEST_CASE("initialising a network is a function of the seed alone") {
    auto network = make<float>(1);
    const auto seeded_zero = values_of(network);
    const auto fresh = statistics_of(network);
    train_step(network, "one");
    network.initialise(5);
    const auto first = values_of(network);
    CHECK(statistics_of(network) == fresh);
    CHECK(first != seeded_zero);
    train_step(network, "one");
    network.initialise(5);
    CHECK(values_of(network) == first);
    auto other = make<float>(1);
    other.initialise(5);
    CHECK(values_of(other) == first);
    network.initialise(0);
    CHECK(values_of(network) == seeded_zero);
}

TEST_CASE("initialising a network gives convolutions He's variance and batch norm the identity") {
    using wide = network<conv2d_batch_norm<float>, conv2d<float>>;
    wide made(
        {6, 6, 24}, {conv2d_batch_norm<float>(normalised("conv", 24, 32))},
        {conv2d<float>({.name = "plain", .input_channels = 32, .output_channels = 48, .kernel = {1, 5}})});
    made.initialise(3);
    made.for_each_parameter([&](parameter<float>& item) {
        INFO(item.name);
        const std::size_t size = item.size();
        if (item.name.ends_with("norm.weight")) {
            CHECK(std::all_of(item.value, item.value + size, [](float value) { return value == 1; }));
        } else if (item.name.ends_with("bias")) {
            CHECK(std::all_of(item.value, item.value + size, [](float value) { return value == 0; }));
        } else {
            const double fan_out = static_cast<double>(item.shape[0] * item.shape[1] * item.shape[3]);
            double sum = 0, squares = 0;
            for (std::size_t i = 0; i < size; ++i) {
                sum += item.value[i];
                squares += static_cast<double>(item.value[i]) * item.value[i];
            }
            // Within four standard errors of mean and variance.
            const auto count = static_cast<double>(size);
            CHECK(std::abs(sum / count) < 4 * std::sqrt(2 / fan_out / count));
            CHECK(squares / count == Catch::Approx(2 / fan_out).epsilon(4 * std::sqrt(2 / count)));
        }
    });
}
