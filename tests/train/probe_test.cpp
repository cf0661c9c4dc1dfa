// SPDX-License-Identifier: MIT
#include "frostline/train/probe.hpp"

#include "frostline/data/transforms/subset.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

#include <numeric>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

floats outputs_of(small_network& network, const tensor<float>& images, std::size_t block) {
    const auto& result = network.forward(images, 0, block + 1, {.phase = phase::inference});
    return {result.data(), result.data() + result.size()};
}

void change(small_network& network, std::size_t first_block, float factor = 1.1f) {
    const auto values = network.arenas().values().subspan(network.block(first_block).first_value);
    for (float& value : values) value *= factor;
}

struct probed_network {
    small_network network = make_network();
    tensor<float> batch = batch_of(images(6), 0, 6);
    probe<small_network> probed{network};

    explicit probed_network(const probe_reference& reference = {}, small_network* snapshot = nullptr) {
        probed.start(batch, reference, snapshot);
    }
    void decide(std::size_t frozen = 0) {
        probed.keep();
        probed.run(frozen);
    }
};

}  // namespace

TEST_CASE("the probe batch is the same part of a data set, whatever the order of its samples") {
    const auto data = images(40);
    const auto ids = sample_ids(data);
    const auto batch = probe_images<float>(data, ids, 8);
    CHECK(samples_of(batch) == 8);
    CHECK(batch == probe_images<float>(data, ids, 8));
    std::vector<std::size_t> backwards(40);
    std::iota(backwards.rbegin(), backwards.rend(), std::size_t{0});
    const subset reversed(data, backwards);
    CHECK(batch == probe_images<float>(reversed, sample_ids(reversed), 8));
    CHECK(batch != batch_of(data, 0, 8));
    CHECK(samples_of(probe_images<float>(data, ids, 100)) == 40);
    CHECK(probe_images<float>(data, ids, 0).size() == 0);
}

TEST_CASE("a probe keeps the outputs of the blocks that learn") {
    probed_network f;
    f.probed.run(0);
    CHECK(f.probed.samples() == 6);
    for (const std::size_t block : {0u, 1u, 3u, 4u, 5u}) {
        CHECK(same_bits(f.probed.outputs(block), outputs_of(f.network, f.batch, block)));
        CHECK(same_bits(f.probed.reference_outputs(block), f.probed.outputs(block)));
    }
    CHECK(f.probed.outputs(2).empty());  // a pooling
}

TEST_CASE("outputs are compared with those some decisions ago, the start being one") {
    probed_network f(probe_reference::decisions_ago(2));
    std::vector<floats> outputs{outputs_of(f.network, f.batch, 3)};
    for (std::size_t decision = 0; decision < 5; ++decision) {
        change(f.network, 0);
        f.probed.run(0);
        outputs.push_back(outputs_of(f.network, f.batch, 3));
        CHECK(same_bits(f.probed.outputs(3), outputs.back()));
        if (decision == 0)
            CHECK(f.probed.reference_outputs(3).empty());
        else
            CHECK(same_bits(f.probed.reference_outputs(3), outputs[decision - 1]));
        f.probed.keep();
    }
}

TEST_CASE("outputs are compared with those at the start of the run") {
    probed_network f(probe_reference::initial());
    const auto start = outputs_of(f.network, f.batch, 4);
    for (int decision = 0; decision < 3; ++decision) {
        change(f.network, 0);
        f.decide();
        CHECK(same_bits(f.probed.reference_outputs(4), start));
        CHECK_FALSE(same_bits(f.probed.outputs(4), start));
    }
}

TEST_CASE("outputs are compared with those of a snapshot") {
    auto snapshot = make_network(9);
    probed_network f(probe_reference::snapshot(), &snapshot);
    const auto expected = outputs_of(snapshot, f.batch, 4);
    change(snapshot, 0);  // has been looked at
    for (int decision = 0; decision < 2; ++decision) {
        f.decide();
        CHECK(same_bits(f.probed.reference_outputs(4), expected));
    }
    CHECK_THROWS_WITH(f.probed.start(f.batch, probe_reference::snapshot(), nullptr),
                      ContainsSubstring("the trainer was given none"));
    CHECK_THROWS_WITH(f.probed.start(f.batch, probe_reference::decisions_ago(0), nullptr),
                      ContainsSubstring("at least 1 decision ago, found 0"));
}

TEST_CASE("what enters the blocks that learn is computed once, and thawed blocks have no reference") {
    probed_network f;
    std::uint64_t all = 0, rest = 0;
    for (std::size_t block = 0; block < 6; ++block) {
        all += 6 * f.network.block(block).flops.forward;
        if (block >= 3) rest += 6 * f.network.block(block).flops.forward;
    }
    CHECK(f.probed.flops() == all);
    f.probed.run(0);
    CHECK(f.probed.flops() == 2 * all);
    change(f.network, 3);
    f.decide(3);
    CHECK(f.probed.flops() == 3 * all);
    CHECK(f.probed.outputs(1).empty());
    CHECK(same_bits(f.probed.outputs(4), outputs_of(f.network, f.batch, 4)));
    change(f.network, 3);
    f.decide(3);
    CHECK(f.probed.flops() == 3 * all + rest);
    CHECK(f.probed.outputs(1).empty());
    CHECK(same_bits(f.probed.outputs(4), outputs_of(f.network, f.batch, 4)));
    change(f.network, 0);  // thawed
    f.decide(0);
    CHECK(f.probed.flops() == 4 * all + rest);
    CHECK(same_bits(f.probed.outputs(1), outputs_of(f.network, f.batch, 1)));
    CHECK(same_bits(f.probed.outputs(4), outputs_of(f.network, f.batch, 4)));
    CHECK(f.probed.reference_outputs(1).empty());
    CHECK_FALSE(f.probed.reference_outputs(4).empty());
    f.decide(0);
    CHECK_FALSE(f.probed.reference_outputs(1).empty());

    f.probed.start(f.batch, {}, nullptr);
    CHECK(f.probed.flops() == all);
}
