// SPDX-License-Identifier: MIT
#include "frostline/compose/network.hpp"

#include "compose/small_network.hpp"
#include "support/catch.hpp"
#include "support/count_allocations.hpp"
#include "support/network_gradients.hpp"

#include <numeric>
#include <utility>
#include <vector>

using namespace frostline;
using namespace small;
using standalone::random_tensor;
using standalone::same_bits;

TEST_CASE("a network run in two parts gives the bits of the whole, wherever it is cut") {
    auto network = make<float>(2);
    const std::size_t blocks = network.blocks();
    for (const char* name : {"one", "two", "three"})
        train_step(network, name);  // statistics away from 0 and 1
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

TEST_CASE(
    "a network's backward pass from a middle block gives the whole's gradients and leaves earlier blocks "
    "alone") {
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
            if (slice.offset < begin)
                CHECK(std::all_of(part.begin(), part.end(), [](float g) { return g == 7; }));
            else
                CHECK(std::equal(part.begin(), part.end(),
                                 whole.begin() + static_cast<std::ptrdiff_t>(slice.offset)));
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

TEST_CASE("blocks that are frozen between others infer, keep their statistics and spare their gradients") {
    auto network = make<double>(1);
    const std::size_t blocks = network.blocks(), chosen = 4;
    std::vector<bool> frozen(blocks);
    frozen[1] = frozen[chosen] = true;
    const auto x = random_tensor<double>(4, input, "x");
    network.forward(x, 0, blocks, training);  // statistics that differ from the initial ones
    const auto statistics = [&](std::size_t index) {
        std::vector<double> values;
        network.visit(index, [&](auto& block, auto&) {
            block.for_each_buffer(
                [&](auto& item) { values.insert(values.end(), item.values.begin(), item.values.end()); });
        });
        return values;
    };
    const auto first = statistics(0), second = statistics(1), fifth = statistics(chosen);
    const auto gradient = random_tensor<double>(4, network.output_shape(), "dy");
    auto dy = gradient;
    const auto forward = [&] { return network.forward(x, 0, blocks, training, frozen); };
    forward();
    CHECK(statistics(0) != first);
    CHECK(statistics(1) == second);
    CHECK(statistics(chosen) == fifth);

    std::fill(network.arenas().gradients().begin(), network.arenas().gradients().end(), 7.0);
    network.backward(x, dy, 0, blocks, gradients::parameters, frozen);
    for (std::size_t block = 0; block < blocks; ++block) {
        const auto& description = network.block(block);
        if (!description.learns()) continue;
        CHECK((network.arenas().gradients()[description.first_value] == 7) == frozen[block]);
    }
    // The gradient of a weight in front of the frozen blocks is the difference of the loss.
    const double found = network.arenas().gradients()[0];
    double& weight = network.arenas().values()[0];
    const auto loss = [&](double step) {
        const double before = std::exchange(weight, weight + step);
        const auto y = forward();
        weight = before;
        return std::inner_product(y.data(), y.data() + y.size(), gradient.data(), 0.0);
    };
    CHECK(found == Catch::Approx((loss(1e-6) - loss(-1e-6)) / 2e-6).epsilon(1e-5));
}

TEST_CASE("a network's gradients are the differences of its loss") {
    auto network = make<double>(1);
    CHECK(standalone::network_gradient_error(network, 4) < 1e-5);
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

TEST_CASE("a network allocates nothing after the first step, for smaller batches neither") {
    auto network = make<float>(1);
    const auto large = random_tensor<float>(7, input, "large"),
               small = random_tensor<float>(3, input, "small");
    auto dlarge = random_tensor<float>(7, network.output_shape(), "dy");
    auto dsmall = random_tensor<float>(3, network.output_shape(), "dy");
    const auto step = [&](const tensor<float>& x, tensor<float>& dy) {
        network.forward(x, 0, network.blocks(), training);
        network.backward(x, dy, 0, network.blocks());
        network.predict(x);
    };
    step(large, dlarge);
    for (int repeat = 0; repeat < 3; ++repeat) {
        CHECK(allocations_of([&] { step(small, dsmall); }) == 0);
        CHECK(allocations_of([&] { step(large, dlarge); }) == 0);
    }
}

TEST_CASE("a backward pass without its forward pass is refused") {
    auto network = make<float>(1);
    const std::size_t blocks = network.blocks();
    const auto x = random_tensor<float>(3, input, "x"), more = random_tensor<float>(4, input, "more");
    auto dy = random_tensor<float>(3, network.output_shape(), "dy");
    auto more_dy = random_tensor<float>(4, network.output_shape(), "more dy");
    CHECK_THROWS_AS(network.backward(x, dy, 0, blocks), argument_error);
    network.predict(x);
    CHECK_THROWS_AS(network.backward(x, dy, 0, blocks), argument_error);
    network.forward(x, 0, blocks, training);
    CHECK_THROWS_AS(network.backward(more, dy, 0, blocks), argument_error);
    CHECK_THROWS_AS(network.backward(x, more_dy, 0, blocks), argument_error);
    CHECK_THROWS_AS(network.backward(more, more_dy, 0, blocks), argument_error);
    CHECK_THROWS_AS(network.backward(x, dy, 0, blocks - 1), argument_error);
    CHECK_NOTHROW(network.backward(x, dy, 0, blocks));
    network.forget(0, 1);
    CHECK_THROWS_AS(network.backward(x, dy, 0, blocks), argument_error);
}
