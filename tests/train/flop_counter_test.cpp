// SPDX-License-Identifier: MIT
#include "frostline/train/flop_counter.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

// Convolutions of 1x1: 2 * positions * inputs * outputs operations. Forward 8 * 4 * 3 = 96 for the first of
// 4x4, 32 * 3 * 5 = 480 for the second, 2 * 5 * 2 = 20 for the head; backward is as much for each gradient.
using counted_network = network<convolution, head>;

counted_network make_counted() {
    return counted_network(
        {4, 4, 1},
        {convolution(convolution_called("0", 1, 3, 1)), convolution(convolution_called("1", 3, 5, 1))},
        {head{global_average_pool<float>{}, linear<float>{{.name = "2", .inputs = 5, .outputs = 2}}}});
}

}  // namespace

TEST_CASE("FLOPs without freezing: forward and backward of every block, but no gradient of the input") {
    flop_counter flops(make_counted());
    flops.add_step(10, 0, 0, 0);
    CHECK(flops.forward() == 10 * (96 + 480 + 20));
    CHECK(flops.forward_full() == 10 * (96 + 480 + 20));
    CHECK(flops.backward() == 10 * (96 + 2 * 480 + 2 * 20));
    CHECK(flops.backward_full() == flops.backward());
}

TEST_CASE("FLOPs of frozen blocks: no backward, and the first that learns passes no gradient on") {
    flop_counter flops(make_counted());
    flops.add_step(10, 0, 1, 0);
    CHECK(flops.forward() == 10 * 596);
    CHECK(flops.backward() == 10 * (480 + 2 * 20));
    CHECK(flops.forward_full() == 10 * 596);
    CHECK(flops.backward_full() == 10 * 1096);
}

TEST_CASE("FLOPs of the first residual block that learns: gradients pass between its layers") {
    // Of 7x7, 16 to 16 to 16 channels and 16 to 24 to 24, the second with a projection of 1x1.
    const auto trained = make_network();
    const std::uint64_t positions = 49, first = 2 * positions * 9 * 16 * 16, head_flops = 2 * 24 * 10;
    const std::uint64_t widening = 2 * positions * 9 * 16 * 24, last = 2 * positions * 9 * 24 * 24,
                        projected = 2 * positions * 16 * 24;
    REQUIRE(trained.block(3).flops.forward == 2 * first);
    REQUIRE(trained.block(4).flops.forward == widening + last + projected);
    const std::uint64_t behind = 2 * (widening + last + projected) + 2 * head_flops;
    flop_counter flops(trained);
    flops.add_step(1, 0, 3, 0);
    CHECK(flops.backward() == 2 * first + first + behind);
    flops.add_step(1, 0, 4, 0);
    CHECK(flops.backward() == 3 * first + behind + 2 * last + widening + projected + 2 * head_flops);
}

TEST_CASE("FLOPs of dropped blocks: only what fills the store runs through them") {
    // The head passes a gradient on from its linear layer to its pooling.
    flop_counter flops(make_counted());
    flops.add_step(10, 10, 2, 1);
    CHECK(flops.forward() == 10 * 596);
    CHECK(flops.backward() == 10 * 2 * 20);
    flops.add_step(10, 3, 2, 1);
    CHECK(flops.forward() == 10 * 596 + 10 * 500 + 3 * 96);
    flops.add_step(7, 0, 2, 2);
    CHECK(flops.forward() == 10 * 596 + 10 * 500 + 3 * 96 + 7 * 20);
    CHECK(flops.forward_full() == 27 * 596);
    CHECK(flops.backward() == 27 * 2 * 20);
    CHECK(flops.backward_full() == 27 * 1096);
}

TEST_CASE("a run reports the FLOPs of its schedule, filling included") {
    const auto data = images(70);
    test_run run(make_network(), answers({0, 2, 2, 2}), memory_feature_store<float>(plenty));
    const auto summary = run.trains.run(options_for(4), data);
    REQUIRE(summary.dropped == 3);
    std::uint64_t all = 0, before_cut = 0, backward = 0, backward_rest = 0;
    for (std::size_t block = 0; block < run.trained.blocks(); ++block) {
        const auto& flops = run.trained.block(block).flops;
        all += flops.forward;
        if (block < 3) before_cut += flops.forward;
        backward += flops.backward_parameters + flops.backward_inner + (block > 0 ? flops.backward_input : 0);
        if (block >= 3)
            backward_rest +=
                flops.backward_parameters + flops.backward_inner + (block > 3 ? flops.backward_input : 0);
    }
    const auto& epochs = run.events.epochs;
    CHECK(epochs[0].forward_flops == 70 * all);
    CHECK(epochs[1].forward_flops == 70 * all);
    CHECK(epochs[2].forward_flops == 70 * all);  // fills the store
    CHECK(epochs[3].forward_flops == 70 * (all - before_cut));
    CHECK(epochs[1].backward_flops == 70 * backward);
    CHECK(epochs[2].backward_flops == 70 * backward_rest);
    CHECK(epochs[3].backward_flops == 70 * backward_rest);
    CHECK(summary.forward_flops == 70 * (4 * all - before_cut));
    CHECK(summary.forward_flops_full == 70 * 4 * all);
    CHECK(summary.backward_flops == 70 * (2 * backward + 2 * backward_rest));
    CHECK(summary.backward_flops_full == 70 * 4 * backward);
    CHECK(summary.forward_flops_saved() ==
          Catch::Approx(static_cast<double>(before_cut) / (4 * static_cast<double>(all))));
    CHECK(
        summary.training_flops_saved() ==
        Catch::Approx(1 - static_cast<double>(summary.forward_flops + summary.backward_flops) /
                              static_cast<double>(summary.forward_flops_full + summary.backward_flops_full)));
}

TEST_CASE("a run without freezing saves exactly nothing") {
    test_run run(make_network(), {"never", never{}}, memory_feature_store<float>(plenty));
    const auto summary = run.trains.run(options_for(3), images(70));
    CHECK(summary.forward_flops_saved() == 0.0);
    CHECK(summary.training_flops_saved() == 0.0);
    CHECK(summary.scoring_flops == 0);
    CHECK(run_finished{}.forward_flops_saved() == 0.0);
}

TEST_CASE("freezing without a store saves backward FLOPs alone") {
    test_run run(make_network(), answers({3}), no_feature_store{});
    const auto summary = run.trains.run(options_for(3), images(40));
    CHECK(summary.forward_flops_saved() == 0.0);
    CHECK(summary.training_flops_saved() > 0.0);
}
