// SPDX-License-Identifier: MIT
#include "frostline/report/network_summary.hpp"

#include "frostline/models/vgg.hpp"
#include "frostline/report/network_summary_json.hpp"
#include "support/catch.hpp"

#include <sstream>

using namespace frostline;

TEST_CASE("the summary of VGG-16 at 224x224 counts what is published") {
    const auto blocks = summary(vgg16<float>({224, 224, 3}, 1000));
    std::uint64_t multiply_accumulates = 0;
    std::size_t parameters = 0;
    for (const auto& block : blocks) {
        multiply_accumulates += block.multiply_accumulates();
        parameters += block.parameters;
    }
    // 15.47 G with the three linear layers of 123.6 M; here one of 0.5 M stands behind global pooling.
    CHECK(static_cast<double>(multiply_accumulates) ==
          Catch::Approx(15.47e9 - 0.1236e9 + 0.0005e9).epsilon(0.001));
    CHECK(parameters == 14'714'688 + 2 * 4224 + 513'000);  // convolutions with biases, batch norms, head
}

TEST_CASE("a block's summary holds shapes, bytes and what freezing it would save") {
    const auto network = vgg11<float>({32, 32, 3}, 10);
    const auto blocks = summary(network);
    REQUIRE(blocks.size() == network.blocks());
    const auto& first = blocks[0];
    CHECK(first.layers == "conv 3x3, 64 + batch_norm + relu");
    CHECK(first.output == sample_shape{32, 32, 64});
    CHECK(first.cut_bytes == 32 * 32 * 64 * 4);
    CHECK(first.activation_bytes == 2 * first.cut_bytes);  // the convolution's output, and the block's
    CHECK(first.backward_flops == first.forward_flops);    // no gradient of the images
    CHECK(blocks[1].layers == "max_pool 2x2");
    CHECK(blocks[1].activation_bytes ==
          blocks[1].cut_bytes * 3 / 2);  // and 16 bits for where the maximum was
    CHECK(blocks.back().layers == "global_average_pool + linear 512 -> 10");

    // Frozen, a block gives up its backward pass and the gradient of the next one's input; dropped, its
    // forward pass, too.
    double full = 0;
    for (const auto& block : blocks) full += static_cast<double>(block.forward_flops + block.backward_flops);
    const auto second = static_cast<double>(blocks[2].forward_flops);
    const auto own = static_cast<double>(first.forward_flops);
    CHECK(first.frozen_saves == Catch::Approx((own + second) / full));
    CHECK(first.dropped_saves == Catch::Approx((2 * own + second) / full));
    CHECK(blocks.back().dropped_saves == Catch::Approx(1));
    for (std::size_t index = 1; index < blocks.size(); ++index) {
        CHECK(blocks[index].frozen_saves >= blocks[index - 1].frozen_saves);
        CHECK(blocks[index].dropped_saves >= blocks[index].frozen_saves);
    }
}

TEST_CASE("a network's summary prints one line a block and the totals") {
    const auto blocks = summary(vgg11<float>({32, 32, 3}, 10));
    std::ostringstream out;
    print_summary(out, blocks);
    const std::string text = out.str();
    CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(blocks.size()) + 3);
    CHECK(text.find("conv 3x3, 512 + batch_norm + relu") != std::string::npos);
    CHECK(text.find("153 M") != std::string::npos);  // multiply-accumulates

    const auto lines = summary_lines(blocks);
    REQUIRE(lines.size() == blocks.size());
    CHECK(lines[2]["event"] == "block");
    CHECK(lines[2]["block"] == 2);
    CHECK(lines[2]["output"] == record_line{16, 16, 128});
    CHECK(lines[2]["multiply_accumulates"] == 16 * 16 * 128 * 9 * 64);
}
