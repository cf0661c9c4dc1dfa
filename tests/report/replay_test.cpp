// SPDX-License-Identifier: MIT
#include "frostline/report/replay.hpp"

#include "frostline/freeze/named_policy.hpp"
#include "frostline/freeze/predicates.hpp"
#include "frostline/report/record.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/small_run.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

struct trained {
    run_finished summary;
    recorder events;
    recorded_run recorded;
};

/// Trains with `policy`, and reads the record of it.
trained train(const any_policy& policy, const training_options& options, std::size_t store_budget = plenty) {
    const temporary_folder folder;
    const auto file = folder / "run.jsonl";
    const auto data = images(150);
    auto network = make_network();
    trained result;
    {
        record log(file, policy.name(), "weight_change");
        trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, weight_change{}, policy,
                       memory_feature_store<float>(store_budget), log, result.events);
        result.summary = trains.run(options, data);
    }
    const auto runs = record_reader(file).read();
    REQUIRE(runs.size() == 1);
    result.recorded = runs[0];
    return result;
}

replay_result replayed(const recorded_run& run, const any_policy& policy) {
    return replay(run, policy, replay_basis(run));
}

/// A replay of the policy that trained tells exactly what happened.
void check_same(const trained& run, const any_policy& policy) {
    const auto found = replayed(run.recorded, policy);
    CHECK(found.forward_flops == run.summary.forward_flops);
    CHECK(found.forward_flops_full == run.summary.forward_flops_full);
    CHECK(found.backward_flops == run.summary.backward_flops);
    CHECK(found.backward_flops_full == run.summary.backward_flops_full);
    REQUIRE(found.moves.size() == run.events.moves.size());
    for (std::size_t i = 0; i < found.moves.size(); ++i) {
        INFO("move " << i);
        CHECK(found.moves[i].epoch == run.events.moves[i].epoch);
        CHECK(found.moves[i].step == run.events.moves[i].step);
        CHECK(boundary_of[found.moves[i].frozen.leading()] == run.events.moves[i].frozen);
        CHECK(found.moves[i].frozen.behind().empty() == run.events.moves[i].frozen_behind.empty());
        CHECK(found.moves[i].dropped == run.events.moves[i].dropped);
    }
}

void refused(const std::string& text, const std::string& sentence) {
    const temporary_folder folder;
    const auto file = folder / "run.jsonl";
    std::ofstream(file) << text;
    INFO(text);
    CHECK_THROWS_AS(record_reader(file).read(), data_error);
    CHECK_THROWS_WITH(record_reader(file).read(), ContainsSubstring(sentence));
}

const std::string start_line =
    R"({"schema":1,"event":"start","epochs":2,"steps_per_epoch":1,"batch_size":4,"training_samples":4,"blocks":[)"
    R"({"forward_flops":1,"backward_flops":2,"backward_input_flops":1,"output_bytes":4},)"
    R"({"forward_flops":1,"backward_flops":2,"backward_input_flops":1,"output_bytes":4}]})"
    "\n";

std::string decision_line(const std::string& scores, std::size_t step = 1) {
    return R"({"schema":1,"event":"decision","epoch":1,"step":)" + std::to_string(step) +
           R"(,"scores":{"s":)" + scores +
           R"(},"learning_rate_sum":1,"learning_rate_left":1,"steps":1,"train_loss":1})"
           "\n";
}

}  // namespace

TEST_CASE("a policy replayed on its own run freezes and drops the same at the same time, to the FLOP") {
    const any_policy rising = named_policy("linear:start=0.2,end=0.8,share=1");
    check_same(train(rising, options_for(8)), rising);
    const any_policy thawing = answers({0, 2, 3, 3, 1, 3, 0, 2});
    check_same(train(thawing, options_for(10)), thawing);
    for (const char* text : {"head_only", "gradual_thaw:start=0.2,end=0.7,share=0.6", "linear:head_first=0.3",
                             "learn_and_drop:from_start=0.4"}) {
        INFO(text);
        check_same(train(named_policy(text), options_for(8)), named_policy(text));
    }
    const any_policy sets("sets", [](const training_view& view) {
        frozen_blocks set(view.epoch < 4 ? 0 : 2);
        return set.insert(3);
    });
    check_same(train(sets, options_for(8)), sets);
}

TEST_CASE("where the store has room for a part of the rows, the replay counts the others in each epoch") {
    const any_policy half = answers({0, 2});
    const auto roomy = train(half, options_for(8));
    const auto& last = roomy.events.moves.back();
    REQUIRE(last.dropped > 0);
    const std::size_t rows = 150 * roomy.recorded.plan->row_bytes[last.dropped - 1];
    const auto tight = train(half, options_for(8), rows * 2 / 5);
    CHECK(tight.summary.forward_flops > roomy.summary.forward_flops);
    CHECK(tight.summary.forward_flops < tight.summary.forward_flops_full);
    check_same(tight, half);
}

TEST_CASE("a policy that looks at scores, losses, rates and costs is replayed as it was") {
    std::size_t most = 0;
    const any_policy curious("curious", [&](const training_view& view) {
        std::size_t sum = 0;
        for (const auto& score : view.scores.back()) sum += score ? std::size_t(1e6 * *score) : 1;
        sum += std::size_t(1e6 * view.train_losses.back()) + std::size_t(1e6 * view.learning_rates.back());
        sum += std::size_t(1e6 * view.learning_rate_left) + view.frozen + view.step + view.steps;
        sum += std::size_t(1e6 * view.spent.flops / view.spent.full_flops);
        sum += std::size_t(view.costs[1].forward_flops + view.costs[3].backward_flops);
        most = std::max(most, sum % 4);
        return sum % 4;
    });
    auto options = options_for(10);
    options.schedule = cosine{.rate = 0.05};
    check_same(train(curious, options), curious);
    CHECK(most > 0);
    options.decide_every = 2;
    check_same(train(curious, options), curious);
    options.decide_every = 7;
    check_same(train(curious, options), curious);
}

TEST_CASE("the record of a run with never serves for every policy that decides by its scores") {
    const auto run = train({"never", never{}}, options_for(8));
    CHECK(run.recorded.policy == "never");
    CHECK(run.recorded.scorer == "weight_change");
    CHECK(run.recorded.epochs == 8);
    CHECK(run.recorded.learning_blocks == std::vector<std::size_t>{0, 1, 3, 4, 5});
    const auto none = replayed(run.recorded, {"never", never{}});
    CHECK(none.moves.empty());
    CHECK(none.training_flops_saved() == 0);
    const any_policy low("low", freeze_prefix(when::at_most(1) && when::below(1e9)));
    const auto found = replayed(run.recorded, low);
    REQUIRE(found.moves.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(found.moves[i].frozen == i + 1);
    CHECK(found.training_flops_saved() > 0.1);
    CHECK(found.forward_flops_saved() > 0);
    replayed(run.recorded, {"looking", [](const training_view& view) {
                                for (std::size_t block = 0; block < view.blocks; ++block)
                                    CHECK(view.scores.back()[block].has_value() == !view.is_frozen(block));
                                return frozen_blocks(view.epoch / 4).insert(3);
                            }});
    // A fixed schedule trains the same whatever the scores are.
    const any_policy linear = named_policy("linear");
    check_same({train(linear, options_for(8)).summary, train(linear, options_for(8)).events, run.recorded},
               linear);
}

TEST_CASE(
    "a policy is replayed by the scores of the scorer that it is meant for, where the record has them") {
    auto run = train({"never", never{}}, options_for(8)).recorded;
    for (auto& made : run.decisions) {
        decision_scores scores(run.learning_blocks.size());
        // As gradients that settle, the sooner the nearer to the input.
        for (std::size_t block = 0; block < scores.size(); ++block)
            scores[block] = made.epoch > 2 ? static_cast<double>(1 + block) : 10;
        made.other_scores.emplace("gradient_change", std::move(scores));
    }
    CHECK(run.has_scores_of("weight_change"));
    CHECK(run.has_scores_of("gradient_change"));
    CHECK_FALSE(run.has_scores_of("svcca"));
    struct looking {
        std::string scorer;
        std::size_t operator()(const training_view& view) const {
            return view.epoch > 2 && view.scores.back()[0] == std::optional(1.0) ? 1 : view.frozen;
        }
    };
    for (const auto& [scorer, moves] :
         {std::pair{"gradient_change", 1}, {"weight_change", 0}, {"svcca", 0}, {"", 0}}) {
        INFO(scorer);
        CHECK(replayed(run, {"looking", looking{scorer}}).moves.size() == static_cast<std::size_t>(moves));
    }
    run.decisions.back().other_scores.clear();
    CHECK_FALSE(run.has_scores_of("gradient_change"));
}

TEST_CASE("the seconds of a run that ended early are those of its epochs") {
    auto run = train({"never", never{}}, options_for(8)).recorded;
    run.finished_epochs = 4;
    run.decisions.resize(4);
    run.seconds = 40;
    const auto asked = [](const training_view& view) -> std::size_t {
        CHECK(std::abs(view.spent.seconds - 10 * static_cast<double>(view.epoch)) < 1e-9);
        return 0;
    };
    replayed(run, {"asked", asked});
}

TEST_CASE("a run in which nothing was measured is replayed with the store that it had, or an assumed one") {
    auto never_froze = train({"never", never{}}, options_for(8)).recorded;
    never_froze.plan.reset();
    const any_policy linear = named_policy("linear:start=0.2,end=0.8,share=1");
    const auto real = train(linear, options_for(8));
    REQUIRE(real.events.moves.size() > 2);
    check_same({real.summary, real.events, never_froze}, linear);

    never_froze.store_budget = 0;
    const auto without_store = replayed(never_froze, linear);
    CHECK(without_store.forward_flops == without_store.forward_flops_full);
    CHECK(without_store.backward_flops == real.summary.backward_flops);
    never_froze.store_budget = plenty;
    CHECK(replayed(never_froze, linear).forward_flops == real.summary.forward_flops);
    CHECK(replay(never_froze, linear, replay_basis(never_froze, 0)).forward_flops_saved() == 0);
}

TEST_CASE("runs that share a record are read one by one, and a half-written last line is passed over") {
    const temporary_folder folder;
    const auto file = folder / "run.jsonl";
    const std::string run =
        start_line + decision_line(R"([{"block":0,"score":1},{"block":1,"score":null}])") +
        R"({"schema":1,"event":"epoch","seconds":2})" + "\n" + R"({"schema":1,"event":"new"})" + "\n";
    std::ofstream(file) << R"({"schema":1,"event":"run","policy":"first","store":"none"})" << '\n'
                        << run
                        << R"({"schema":1,"event":"run","policy":"second","scorer":"s:k=1","store":"auto",)"
                        << R"("store_budget":9})" << '\n'
                        << run << R"({"schema":1,"event":"run","policy":"stopped at once"})" << '\n'
                        << start_line << R"({"schema":1,"event":"dec)";
    const auto runs = record_reader(file).read();
    REQUIRE(runs.size() == 2);
    CHECK(runs[0].policy == "first");
    CHECK(runs[0].store_budget == std::size_t{0});
    CHECK(runs[1].policy == "second");
    CHECK(runs[1].scorer_options == "s:k=1");
    CHECK(runs[1].store_budget == std::size_t{9});
    CHECK(runs[1].decisions.size() == 1);
    CHECK(runs[1].decisions[0].scores == decision_scores{1.0, std::nullopt});
    CHECK(runs[1].seconds == 2);
    CHECK(runs[1].finished_epochs == 1);
}

TEST_CASE("an epoch within which a run was stopped is not replayed, and its seconds do not count") {
    const temporary_folder folder;
    const auto file = folder / "run.jsonl";
    const auto epoch = [](int seconds) {
        return R"({"schema":1,"event":"epoch","seconds":)" + std::to_string(seconds) + "}\n";
    };
    const auto stopped_at = [&](int forward_flops) {
        std::ofstream(file) << start_line << decision_line(R"([{"block":0,"score":1}])") << epoch(5)
                            << epoch(2) << R"({"schema":1,"event":"summary","policy":"p","stopped":true,)"
                            << R"("forward_flops_full":)" << forward_flops << "}\n";
        return record_reader(file).read().at(0);
    };
    // Two blocks of one FLOP, for four samples an epoch.
    CHECK(stopped_at(16).finished_epochs == 2);
    CHECK(stopped_at(16).seconds == 7);
    CHECK(stopped_at(14).finished_epochs == 1);
    CHECK(stopped_at(14).seconds == 5);
    std::ofstream(file) << start_line << decision_line(R"([{"block":0,"score":1}])") << epoch(5)
                        << R"({"schema":1,"event":"summary","stopped":true,"forward_flops_full":6})"
                        << "\n";
    CHECK_THROWS_WITH(record_reader(file).read(), ContainsSubstring("an epoch that was finished"));
}

TEST_CASE("a run that was stopped within an epoch is replayed as far as its epochs are whole") {
    const auto stopped_behind = [](std::size_t last_step) {
        const temporary_folder folder;
        const auto file = folder / "run.jsonl";
        auto network = make_network();
        std::stop_source source;
        auto stopping = [&](const step_finished& step) {
            if (step.step + 1 == last_step) source.request_stop();
        };
        std::uint64_t finished = 0;
        auto counting = [&](const epoch_finished& epoch) {
            if (!source.stop_requested()) finished += epoch.forward_flops;
        };
        const any_policy policy{"never", never{}};
        record log(file, policy.name(), "weight_change");
        trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, weight_change{}, policy,
                       memory_feature_store<float>(plenty), log, stopping, counting);
        trains.run(options_for(5), images(150), no_data{}, no_data{}, source.get_token());
        const auto run = record_reader(file).read().at(0);
        CHECK(replayed(run, policy).forward_flops == finished);
        return run.finished_epochs;
    };
    const std::size_t steps = train({"never", never{}}, options_for(2)).recorded.steps_per_epoch;
    REQUIRE(steps > 1);
    CHECK(stopped_behind(2 * steps + 1) == 2);
}

TEST_CASE("a record of a program's own may name a scorer with its options, and its store may be vast") {
    const temporary_folder folder;
    const auto file = folder / "run.jsonl";
    {
        auto network = make_network();
        record log(file, "linear", "weight_change:measure=raw_l1");
        trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, weight_change{},
                       answers({0, 2}), memory_feature_store<float>(std::numeric_limits<std::size_t>::max()),
                       log);
        trains.run(options_for(3), images(150));
    }
    const auto run = record_reader(file).read().at(0);
    REQUIRE(run.plan);
    CHECK(run.plan->tiers.at(0).budget == std::numeric_limits<std::size_t>::max());
    CHECK(run.has_scores_of("weight_change:measure=raw_l1"));
    CHECK_FALSE(run.has_scores_of("weight_change"));
    CHECK_FALSE(run.has_scores_of("path_ratio"));
}

TEST_CASE("a record that cannot be replayed is refused with its line and what is wrong") {
    CHECK_THROWS_WITH(record_reader("/nowhere/run.jsonl").read(),
                      "cannot read the record /nowhere/run.jsonl");
    CHECK_THROWS_WITH(record_reader("/tmp").read(), "cannot read the record /tmp");
    refused("", "holds no line of event start");
    refused("not JSON\n{}\n", "line 1 of the record");
    refused("not JSON\n{}\n", "is no line of a record, expected a JSON object");
    refused("[]\n{}\n", "is no line of a record");
    refused(R"({"schema":2,"event":"start"})", "has another schema than 1");
    refused(decision_line("[]"), "comes before any line of event start");
    refused(start_line, "has a line of event decision");
    refused(R"({"schema":1,"event":"start"})", "line 1 of the record");
    refused(R"({"schema":1,"event":"start"})", "lacks the field epochs");
    refused(R"({"schema":1,"event":"start","epochs":"two"})", "has no number in the field epochs");
    refused(R"({"schema":1,"event":"start","epochs":1.5})", "has no whole number in the field epochs");
    refused(start_line + decision_line("[]"), "line 2 of the record");
    refused(start_line + decision_line("[]"), "has no list in the field s");
    refused(start_line + decision_line(R"([{"block":2,"score":1}])"), "scores block 2, expected");
    refused(start_line + decision_line(R"([{"block":1,"score":1},{"block":0,"score":1}])"), "scores block 0");
    refused(start_line + decision_line(R"([{"block":1,"score":"low"}])"), "has neither a number nor null");
    refused(start_line + decision_line(R"([{"block":1}])"), "lacks the field score");
    refused(start_line + decision_line(R"([{"block":1,"score":1}])") +
                decision_line(R"([{"block":0,"score":1}])", 2),
            "scores other blocks than the decisions before");
    refused(start_line + decision_line(R"([{"block":1,"score":1}])") +
                decision_line(R"([{"block":1,"score":1}])"),
            "is a decision that comes no later than the one before");
}
