// SPDX-License-Identifier: MIT
#include "frostline/train/data_parallel.hpp"

#include "shared_run.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

using namespace shared_run;

namespace {

// Three learning blocks are frozen at the end, and dropped as soon as they are.
const any_policy moves = by_decision({0, 0, 1, 1, 2, 2, 3});

plan_of_run freezing() { return {.policy = moves}; }

// Loses every row in all processes but the first.
struct losing_store : memory_feature_store<float> {
    using memory_feature_store::memory_feature_store;
    bool loses = world().rank() > 0;

    void put(std::span<const feature_key> keys, const tensor<float>& rows) {
        if (!loses) memory_feature_store::put(keys, rows);
    }
    std::string problem() const { return loses ? "rows were lost" : ""; }
};

template <class T>
double apart_from_one_process(const plan_of_run& plan) {
    const auto shared = train<T>(plan, world()), alone = train_alone<T>(plan);
    CHECK(shared.finished.test_accuracy == alone.finished.test_accuracy);
    CHECK(shared.finished.forward_flops == alone.finished.forward_flops);
    CHECK(shared.finished.backward_flops == alone.finished.backward_flops);
    CHECK(shared.finished.dropped == alone.finished.dropped);
    return shared.apart(alone);
}

}  // namespace

TEST_CASE("after 50 steps processes have the weights of one with as many shards") {
    together([] {
        CHECK(apart_from_one_process<double>({}) < 1e-10);
        CHECK(apart_from_one_process<float>({}) < 1e-3);
    });
}

TEST_CASE("after 50 steps in which blocks are frozen and dropped they have, too") {
    together([] {
        REQUIRE(train_alone<double>(freezing()).finished.dropped == 4);
        CHECK(apart_from_one_process<double>(freezing()) < 1e-10);
        CHECK(apart_from_one_process<float>(freezing()) < 1e-3);
    });
}

TEST_CASE("two runs of as many processes give the same bits, with batch norm of the batch or of the share") {
    together([] {
        for (const bool synchronise : {true, false})
            for (const auto& policy : {by_decision({0}), moves}) {
                const plan_of_run plan{.synchronise = synchronise, .policy = policy};
                const auto one = train<float>(plan, world());
                CHECK(one == train<float>(plan, world()));
                // The trainer requires the same weights everywhere; these are statistics, and what is told.
                auto network = make_network<float>();
                data_parallel<small_network<float>, mpi> others(network, world(), {.shards = 4}, 128);
                others.require_same(one.statistics, "the running statistics");
                CHECK(one.losses.size() == (world().rank() == 0 ? 50 : 0));
            }
    });
}

TEST_CASE("scorers that observe gradients or outputs see the same in every process") {
    together([] {
        const auto plan = [] {
            return plan_of_run{.epochs = 2, .synchronise = false, .policy = by_decision({1})};
        };
        CHECK(train<float>(plan(), world(), activation_change({.samples = 16})).finished.frozen == 1);
    });
}

TEST_CASE("what is exchanged in a step falls by what frozen blocks have of it, to the byte") {
    together([] {
        std::map<std::size_t, std::uint64_t> bytes_by_frozen;
        std::uint64_t before = 0;
        std::size_t epoch = 77;
        auto plan = plan_of_run{.synchronise = false, .policy = moves};
        plan.on_step = [&](const step_finished& step) {
            // Between two steps of an epoch nothing but a step is exchanged.
            const std::uint64_t now = world().bytes();
            if (step.epoch == epoch) {
                const auto [found, is_new] = bytes_by_frozen.emplace(step.frozen, now - before);
                CHECK(found->second == now - before);
            }
            epoch = step.epoch;
            before = now;
        };
        train<float>(plan, world());
        if (world().rank() != 0) return;
        auto network = make_network<float>();
        std::map<std::size_t, std::uint64_t> expected;
        for (const std::size_t frozen : {0, 1, 3, 4}) {
            std::size_t values = network.block(5).last_value - network.block(frozen).first_value;
            for (std::size_t block = frozen; block < network.blocks(); ++block)
                network.visit(block, [&](auto& part, auto&) {
                    part.for_each_buffer([&](buffer<float>& item) { values += item.values.size(); });
                });
            constexpr std::size_t figures = 4, flags = 2;
            expected[frozen] = values * sizeof(float) + (figures + flags) * sizeof(double);
        }
        CHECK(bytes_by_frozen == expected);
    });
}

TEST_CASE("processes that would decide differently end with a sentence, all of them") {
    together([] {
        const std::size_t rank = world().rank();
        const auto by_rank = [=](const training_view&) -> std::size_t { return rank == 0 ? 1 : 2; };
        const plan_of_run plan{.epochs = 1, .policy = {"by_rank", by_rank}};
        CHECK_THROWS_AS(train<float>(plan, world()), process_error);
        CHECK_THROWS_AS(train<float>({.samples = 150 + rank}, world()), process_error);
    });
}

TEST_CASE("a store that fails in another process changes no weight, and the first one tells of it once") {
    together([] {
        std::vector<std::string> told;
        auto plan = freezing();
        plan.on_failure = [&](const store_failed& event) { told.push_back(event.reason); };
        const auto lost = train<float>(plan, world(), weight_change{}, losing_store(std::size_t{1} << 30));
        CHECK(lost == train<float>(freezing(), world()));
        const std::vector<std::string> expected{
            "the feature store of another process lost rows, which are computed again"};
        CHECK(told == (world().rank() == 0 ? expected : std::vector<std::string>()));
    });
}

TEST_CASE("shards and batches that cannot be divided are refused") {
    together([] {
        CHECK_THROWS_AS(train<float>({.shards = 1}, world()), argument_error);
        CHECK_THROWS_AS(train<float>({.samples = 129}, world()), argument_error);
    });
}

TEST_CASE("a run goes on from its checkpoint to the same bits, in another number of processes nearly") {
    together([] {
        const auto whole = train<double>(freezing(), world());
        for (const std::size_t last_step : {7u, 20u, 38u}) {
            const temporary_folder folder;  // of each process alone
            const auto saving = [&] {
                return checkpoints({.folder = folder.path(), .every = {.epochs = 100}});
            };
            std::stop_source stop;
            auto part = freezing(), rest = freezing();
            checkpoints of_part, of_rest;
            if (world().rank() == 0) of_part = saving();
            part.saved = &of_part;
            part.stop = stop.get_token();
            part.on_step = [&](const step_finished& event) {
                if (event.step == last_step) stop.request_stop();
            };
            CHECK(train<double>(part, world()).finished.stopped);

            rest.saved = &of_rest;
            if (world().rank() == 0) {
                of_rest.resume_from(saving().files().back());
                CHECK(train_alone<double>(rest).apart(whole) < 1e-10);
                of_rest = saving();
                of_rest.resume();
            }
            CHECK(train<double>(rest, world()) == whole);
        }
    });
}
