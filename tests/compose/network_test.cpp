// SPDX-License-Identifier: MIT
#include "frostline/compose/network.hpp"

#include "frostline/compose/residual.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/conv2d.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/global_average_pool.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "support/catch.hpp"
#include "support/standalone.hpp"

#include <cstdint>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;
using standalone::distance;
using standalone::random_tensor;
using standalone::same_bits;

namespace {

template <class T>
using shortcut_of = conv2d_batch_norm<T, activation::none>;
template <class T>
using residual_of = residual<conv2d_batch_norm<T>, shortcut_of<T>>;
template <class T>
using head_of = sequence<global_average_pool<T>, linear<T>>;
/// Stages: convolutions, pooling, a stage that may be empty, residual blocks, head.
template <class T>
using small_network = network<conv2d_batch_norm<T>, max_pool<T>, conv2d<T>, residual_of<T>, head_of<T>>;

constexpr sample_shape input{8, 6, 2};
constexpr std::size_t classes = 3;

conv2d_batch_norm_options normalised(const std::string& name, std::size_t inputs, std::size_t outputs,
                                     std::size_t kernel = 3, std::size_t stride = 1) {
    return {.convolution = {.name = name + ".conv",
                            .input_channels = inputs,
                            .output_channels = outputs,
                            .kernel = kernel,
                            .stride = stride,
                            .padding = kernel / 2},
            .norm_name = name + ".norm"};
}

/// Blocks: 0, 1 convolutions; 2 pooling; then `plain` convolutions; two residual blocks; the head.
template <class T>
small_network<T> make(std::size_t plain = 0) {
    std::vector<conv2d_batch_norm<T>> convolutions{conv2d_batch_norm<T>{normalised("first", 2, 4)},
                                                   conv2d_batch_norm<T>{normalised("second", 4, 5)}};
    std::vector<conv2d<T>> between;
    for (std::size_t i = 0; i < plain; ++i)
        between.emplace_back(convolution_options{
            .name = sentence("plain", i), .input_channels = 5, .output_channels = 5, .kernel = 3, .padding = 1});
    std::vector<residual_of<T>> residuals{
        residual_of<T>{conv2d_batch_norm<T>{normalised("same", 5, 5)}},
        residual_of<T>{conv2d_batch_norm<T>{normalised("halved", 5, 6, 3, 2)},
                       shortcut_of<T>{normalised("projection", 5, 6, 1, 2)}}};
    std::vector<head_of<T>> head{
        head_of<T>{global_average_pool<T>{}, linear<T>({.name = "head", .inputs = 6, .outputs = classes})}};
    return small_network<T>(input, std::move(convolutions), {max_pool<T>{{.kernel = 2}}}, std::move(between),
                            std::move(residuals), std::move(head));
}

constexpr pass training{.phase = phase::training};
constexpr pass inference{.phase = phase::inference};

template <class T>
std::vector<T> values_of(const small_network<T>& network) {
    const auto values = network.arenas().values();
    return {values.begin(), values.end()};
}
template <class T>
std::vector<T> gradients_of(const small_network<T>& network) {
    const auto found = network.arenas().gradients();
    return {found.begin(), found.end()};
}
template <class T>
std::vector<T> statistics_of(small_network<T>& network) {
    std::vector<T> found;
    network.for_each_buffer([&](buffer<T>& item) { found.insert(found.end(), item.values.begin(), item.values.end()); });
    return found;
}

/// One training step without an optimiser: forward, backward of a fixed output gradient, values -= 0.1 gradients.
template <class T>
void train_step(small_network<T>& network, std::string_view name) {
    const auto x = random_tensor<T>(4, input, name);
    network.forward(x, 0, network.blocks(), training);
    auto dy = random_tensor<T>(4, network.output_shape(), "dy");
    network.backward(x, dy, 0, network.blocks());
    const auto values = network.arenas().values();
    const auto found = network.arenas().gradients();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= static_cast<T>(0.1) * found[i];
}

}  // namespace

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

TEST_CASE("a network run in two parts gives the bits of the whole, wherever it is cut") {
    auto network = make<float>(2);
    const std::size_t blocks = network.blocks();
    for (const char* name : {"one", "two", "three"}) train_step(network, name);  // statistics away from 0 and 1
    const auto x = random_tensor<float>(5, input, "x");
    const tensor<float> predicted = network.predict(x);
    CHECK(shape_of(predicted) == network.output_shape());
    for (std::size_t cut = 0; cut <= blocks; ++cut) {
        INFO("cut at " << cut);
        const tensor<float>& features = network.forward(x, 0, cut, inference);
        CHECK(shape_of(features) == network.shape_at(cut));
        CHECK(same_bits(network.forward(features, cut, blocks, inference), predicted));
        const tensor<float> stored = network.forward(x, 0, cut, inference);
        CHECK(same_bits(network.forward(stored, cut, blocks, inference), predicted));
    }
    const tensor<float> trained = network.forward(x, 0, blocks, training);
    for (std::size_t cut = 0; cut <= blocks; ++cut) {
        INFO("cut at " << cut);
        const tensor<float>& features = network.forward(x, 0, cut, training);
        CHECK(same_bits(network.forward(features, cut, blocks, training), trained));
    }
}

TEST_CASE("a network predicts a sample with the same bits in any batch and position") {
    auto network = make<float>(1);
    const auto x = random_tensor<float>(16, input, "x");
    const tensor<float> together = network.predict(x);
    for (const std::size_t count : {1u, 3u})
        for (std::size_t first = 0; first + count <= 16; ++first)
            CHECK(same_bits(network.predict(standalone::rows_of(x, first, count)),
                            standalone::rows_of(together, first, count)));
}

TEST_CASE("a network's backward pass from a middle block gives the whole's gradients and leaves earlier blocks alone") {
    auto network = make<float>(2);
    const std::size_t blocks = network.blocks();
    const auto x = random_tensor<float>(4, input, "x");
    const auto dy = random_tensor<float>(4, network.output_shape(), "dy");
    network.forward(x, 0, blocks, training);
    tensor<float> scratch = dy;
    const tensor<float> dx = network.backward(x, scratch, 0, blocks, gradients::both);
    CHECK(shape_of(dx) == input);
    const auto whole = gradients_of(network);

    for (std::size_t first = 0; first <= blocks; ++first) {
        INFO("from block " << first);
        const auto begin = first == blocks ? whole.size() : network.block(first).first_value;
        std::fill(network.arenas().gradients().begin(), network.arenas().gradients().end(), 7.0f);
        const tensor<float> features = network.forward(x, 0, first, training);
        network.forward(features, first, blocks, training);
        scratch = dy;
        network.backward(features, scratch, first, blocks);
        for (const auto& slice : network.slices()) {
            const auto part = network.arenas().gradients().subspan(slice.offset, slice.size);
            if (slice.offset < begin) CHECK(std::all_of(part.begin(), part.end(), [](float g) { return g == 7; }));
            else CHECK(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(slice.offset)));
        }
    }
}

TEST_CASE("a network's backward pass in two parts gives the gradients of the whole") {
    auto network = make<float>(1);
    const std::size_t blocks = network.blocks();
    const auto x = random_tensor<float>(4, input, "x");
    const auto dy = random_tensor<float>(4, network.output_shape(), "dy");
    network.forward(x, 0, blocks, training);
    tensor<float> scratch = dy;
    const tensor<float> dx = network.backward(x, scratch, 0, blocks, gradients::both);
    const auto whole = gradients_of(network);
    for (std::size_t cut = 0; cut <= blocks; ++cut) {
        INFO("cut at " << cut);
        const tensor<float> features = network.forward(x, 0, cut, training);
        network.forward(features, cut, blocks, training);
        scratch = dy;
        tensor<float> dfeatures = network.backward(features, scratch, cut, blocks, gradients::both);
        CHECK(same_bits(network.backward(x, dfeatures, 0, cut, gradients::both), dx));
        CHECK(gradients_of(network) == whole);
    }
}

TEST_CASE("a network computes the gradient of its input alone when that is wanted") {
    auto network = make<double>(1);
    const auto x = random_tensor<double>(4, input, "x");
    const auto dy = random_tensor<double>(4, network.output_shape(), "dy");
    network.forward(x, 0, network.blocks(), training);
    tensor<double> scratch = dy;
    const tensor<double> dx = network.backward(x, scratch, 0, network.blocks(), gradients::both);
    std::fill(network.arenas().gradients().begin(), network.arenas().gradients().end(), 7.0);
    network.forward(x, 0, network.blocks(), training);
    scratch = dy;
    CHECK(same_bits(network.backward(x, scratch, 0, network.blocks(), gradients::input), dx));
    const auto untouched = network.arenas().gradients();
    CHECK(std::all_of(untouched.begin(), untouched.end(), [](double g) { return g == 7; }));
}

TEST_CASE("a network's gradients are the differences of its loss") {
    auto network = make<double>(1);
    const std::size_t blocks = network.blocks();
    // Not the initial values: a bias that starts at zero before ReLU, or a pooling of equal values, lies on a kink.
    for (const auto& slice : network.slices())
        standalone::fill(network.arenas().values().data() + slice.offset, slice.size, sentence("at", slice.offset));
    const auto x = random_tensor<double>(4, input, "x");
    const auto w = random_tensor<double>(4, network.output_shape(), "w");
    const auto loss = [&] {
        const auto& y = network.forward(x, 0, blocks, training);
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += y.data()[i] * w.data()[i];
        return sum;
    };
    loss();
    tensor<double> dy = w;
    network.backward(x, dy, 0, blocks);
    const auto gradient = gradients_of(network);
    const auto values = network.arenas().values();
    for (const auto& slice : network.slices()) {
        INFO("parameter of block " << slice.block << " at " << slice.offset);
        double worst = 0, largest = 0.01;
        for (std::size_t i = slice.offset; i < slice.offset + slice.size; i += 1 + slice.size / 40) {
            const double value = values[i];
            double error = 1e300;
            for (const double step : {1e-5, 1e-6, 1e-7}) {  // a shorter step may avoid a kink
                values[i] = value + step;
                const double above = loss();
                values[i] = value - step;
                const double numeric = (above - loss()) / (2 * step);
                values[i] = value;
                largest = std::max(largest, std::abs(numeric));
                error = std::min(error, std::abs(numeric - gradient[i]));
                if (error < 1e-7) break;
            }
            worst = std::max(worst, error);
        }
        CHECK(worst / largest < 1e-5);
    }
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
    unnamed made({8, 8, 1}, {conv2d<float>({}), conv2d<float>({.padding = 1})}, {conv2d_batch_norm<float>({})});
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
    const auto build = [] { pair({8, 8, 1}, {conv2d<float>({.name = "twin"}), conv2d<float>({.name = "twin"})}); };
    CHECK_THROWS_AS(build(), argument_error);
    CHECK_THROWS_WITH(build(),
                      "network: two parameters or buffers are called 'twin.weight': give their layers different names");
}

TEST_CASE("a network without blocks is an argument error, and one whose blocks do not fit a shape error") {
    using single = network<conv2d<float>, linear<float>>;
    CHECK_THROWS_AS(single({4, 4, 1}, {}, {}), argument_error);
    CHECK_THROWS_WITH(single({4, 4, 1}, {}, {}), "network: there is no block");
    const auto build = [] {
        single({4, 4, 1}, {conv2d<float>({.name = "conv"})}, {linear<float>({.name = "fc", .inputs = 5, .outputs = 2})});
    };
    CHECK_THROWS_AS(build(), shape_error);
    CHECK_THROWS_WITH(build(), ContainsSubstring("linear 'fc' takes 5 values a sample, but its input 2x2x1 has 4"));
}

TEST_CASE("a network rejects samples of another shape and names the block") {
    auto network = make<float>(1);
    const auto wrong = random_tensor<float>(2, {8, 6, 3}, "x");
    CHECK_THROWS_AS(network.predict(wrong), shape_error);
    CHECK_THROWS_WITH(network.predict(wrong), "network: block 0 takes samples of 8x6x2, but was given 8x6x3");
    CHECK_THROWS_WITH(network.forward(wrong, 3, 5, training),
                      "network: block 3 takes samples of 4x3x5, but was given 8x6x3");
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

TEST_CASE("a network that forgot its leading blocks holds nothing of them and still trains") {
    auto network = make<float>(1), reference = network;
    train_step(network, "one");
    train_step(reference, "one");
    const std::size_t frozen = 4;
    network.forget(0, frozen);
    network.visit(0, [](const auto&, const auto& context) {
        if constexpr (requires { context.convolved; }) {
            CHECK(context.convolved.storage().capacity() == 0);
            CHECK(context.mean.capacity() == 0);
        }
    });
    network.visit(frozen, [](const auto&, const auto& context) {
        if constexpr (requires { context.main.convolved; }) CHECK(context.main.convolved.size() > 0);
    });

    // Behind the frozen blocks in training.
    const auto x = random_tensor<float>(4, input, "two");
    const auto dy = random_tensor<float>(4, network.output_shape(), "dy");
    const auto train_behind = [&](small_network<float>& trained) {
        const auto& features = trained.forward(x, 0, frozen, inference);
        trained.forward(features, frozen, trained.blocks(), training);
        auto scratch = dy;
        trained.backward(features, scratch, frozen, trained.blocks());
    };
    train_behind(network);
    train_behind(reference);
    CHECK(gradients_of(network) == gradients_of(reference));

    // Thawed: the whole again.
    train_step(network, "three");
    train_step(reference, "three");
    CHECK(values_of(network) == values_of(reference));
    CHECK(statistics_of(network) == statistics_of(reference));
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
    wide made({6, 6, 24}, {conv2d_batch_norm<float>(normalised("conv", 24, 32))},
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

TEST_CASE("a network's steps do not depend on the sizes of the batches before") {
    auto network = make<float>(1), reference = network;
    const auto step = [](small_network<float>& trained, std::size_t samples) {
        const auto x = random_tensor<float>(samples, input, "x");
        auto dy = random_tensor<float>(samples, trained.output_shape(), "dy");
        trained.forward(x, 0, trained.blocks(), training);
        trained.backward(x, dy, 0, trained.blocks());
    };
    step(network, 7);
    step(network, 3);
    const auto small = gradients_of(network);
    step(network, 7);
    step(reference, 3);
    CHECK(gradients_of(reference) == small);
    step(reference, 7);
    CHECK(gradients_of(reference) == gradients_of(network));
}
