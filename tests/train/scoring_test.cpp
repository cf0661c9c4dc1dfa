// SPDX-License-Identifier: MIT
// Scoring looks at training and changes nothing in it.
#include "frostline/train/trainer.hpp"

#include "frostline/freeze/named_scorer.hpp"
#include "frostline/testing/archetypes.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Keeps what it was shown of one block.
struct output_recorder {
    observations observes{.probe_samples = 16};
    std::vector<floats>* outputs;
    std::vector<floats>* references;

    std::optional<double> operator()(const block_view<float>& view) {
        if (view.block == 4) {
            outputs->emplace_back(view.outputs.begin(), view.outputs.end());
            references->emplace_back(view.reference_outputs.begin(), view.reference_outputs.end());
        }
        return std::nullopt;
    }
};

/// Scores a block by how often it was asked about it.
struct counting_scorer {
    static constexpr observations observes{};
    std::map<std::size_t, double> asked{};

    std::optional<double> operator()(const block_view<float>& view) { return ++asked[view.block]; }
};

}  // namespace

TEST_CASE("the scorer changes nothing in a run whose policy does not ask for its scores") {
    const auto data = images(70);
    const bool freezes = GENERATE(false, true);
    const auto run_with = [&](const any_scorer<float>& scorer) {
        auto run = std::make_unique<test_run<>>(
            make_network(),
            answers(freezes ? std::vector<std::size_t>{0, 2, 3, 1} : std::vector<std::size_t>{0}),
            memory_feature_store<float>(plenty), scorer);
        run->trains.run(options_for(5), data);
        return run;
    };
    const auto without = run_with({"none", scorer_archetype{}});
    for (const char* text :
         {"weight_change", "weight_cosine:since=start", "path_ratio:every=2", "effective_perturbation",
          "gradient_norm", "gradient_change", "gradient_delta", "sensitivity_uncertainty",
          "activation_change:samples=8", "similarity_preserving_loss:samples=8",
          "linear_cka:samples=8,reference=initial", "svcca:samples=8,decisions=2"}) {
        INFO(text);
        const auto with = run_with(named_scorer<float>(text));
        CHECK(with->equals(*without));
        // The last decision has scores, of the head and of the block that thawed last.
        const auto& scores = with->events.decisions.back().scores;
        CHECK(scores.at(3).has_value());
    }
}

TEST_CASE("a run that scores by other scorers, too, is the same, and tells what each would have said alone") {
    const auto data = images(70);
    const std::vector<std::string> others{"gradient_delta",
                                          "path_ratio:every=2",
                                          "effective_perturbation",
                                          "svcca:samples=8,decisions=2",
                                          "similarity_preserving_loss:samples=12",
                                          "linear_cka:samples=8,reference=initial"};
    const auto run_with = [&](const std::string& scorer, bool all) {
        auto run =
            std::make_unique<test_run<>>(make_network(), answers({0, 0, 2, 3, 1}),
                                         memory_feature_store<float>(plenty), named_scorer<float>(scorer));
        for (const auto& other : others)
            if (all) run->trains.also_score({other, named_scorer<float>(other)});
        run->trains.run(options_for(6), data);
        return run;
    };
    const auto all = run_with("weight_change", true), plain = run_with("weight_change", false);
    CHECK(all->equals(*plain));
    const auto& decisions = all->events.decisions;
    REQUIRE(decisions.size() == 6);
    for (std::size_t number = 0; number < others.size(); ++number) {
        INFO(others[number]);
        const auto alone = run_with(others[number], false);
        CHECK(alone->events.decisions.back().scores.at(3).has_value());
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            CHECK(decisions[i].scores == plain->events.decisions[i].scores);
            CHECK(decisions[i].other_scores.at(number).scorer == others[number]);
            CHECK(decisions[i].other_scores.at(number).scores == alone->events.decisions[i].scores);
        }
    }
}

TEST_CASE("a run counts the FLOPs of its probe passes, beside those of training") {
    std::uint64_t all = 0, rest = 0;
    const auto network = make_network();
    for (std::size_t block = 0; block < network.blocks(); ++block) {
        all += network.block(block).flops.forward;
        if (block >= 3) rest += network.block(block).flops.forward;
    }
    const auto data = images(40);
    test_run run(network, answers({0, 2, 2, 2}), no_feature_store{},
                 named_scorer<float>("linear_cka:samples=16"));
    test_run other(network, answers({0, 2, 2, 2}), no_feature_store{});
    const auto summary = run.trains.run(options_for(4), data);
    // At the start and after two epochs; frozen from then on: what enters the third block, once; the rest.
    CHECK(summary.scoring_flops == 16 * (4 * all + rest));
    const auto without = other.trains.run(options_for(4), data);
    CHECK(without.scoring_flops == 0);
    CHECK(summary.forward_flops == without.forward_flops);
    CHECK(summary.backward_flops == without.backward_flops);
}

TEST_CASE("a scorer sees the outputs at the last decision as those of the reference") {
    const auto data = images(70);
    std::vector<floats> outputs, references;
    auto network = make_network();
    const auto batch = probe_images<float>(data, sample_ids(data), 16);
    const auto outputs_now = [&] {
        const auto& result = network.forward(batch, 0, 5, {.phase = phase::inference});
        return floats(result.data(), result.data() + result.size());
    };
    const auto start = outputs_now();
    trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{},
                   output_recorder{.outputs = &outputs, .references = &references}, never{},
                   no_feature_store{});
    trains.run(options_for(3), data);
    REQUIRE(outputs.size() == 3);
    CHECK(same_bits(references[0], start));
    CHECK(same_bits(references[1], outputs[0]));
    CHECK(same_bits(references[2], outputs[1]));
    CHECK(same_bits(outputs[2], outputs_now()));
    CHECK_FALSE(same_bits(outputs[2], outputs[1]));
}

TEST_CASE("scorers of one name are refused, since a record and a checkpoint could not tell them apart") {
    test_run run(make_network(), answers({0}));
    run.trains.also_score(named_scorer<float>("linear_cka:samples=8"));
    const auto other = named_scorer<float>("linear_cka:samples=9");
    CHECK_THROWS_AS(run.trains.also_score(other), argument_error);
    CHECK_THROWS_WITH(run.trains.also_score(other),
                      "two scorers are called linear_cka, expected a name for each");
    CHECK_NOTHROW(run.trains.also_score({"of nine samples", other}));
}

TEST_CASE("a run asks a scorer that remembers nothing of the run before") {
    const auto data = images(40);
    auto network = make_network();
    recorder events;
    trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, counting_scorer{}, never{},
                   no_feature_store{}, events);
    trains.run(options_for(2), data);
    trains.run(options_for(1), data);
    REQUIRE(events.decisions.size() == 3);
    CHECK(events.decisions[1].scores.at(0) == 2);
    CHECK(events.decisions[2].scores.at(0) == 1);
}

TEST_CASE("a snapshot has to be of the same network, to the width of its blocks") {
    using small = network<convolution, head>;
    const auto of_width = [](std::size_t width) {
        return small({28, 28, 1}, {convolution(convolution_called("0", 1, width))},
                     {head{global_average_pool<float>{},
                           linear<float>{{.name = "head", .inputs = width, .outputs = 10}}}});
    };
    const auto data = images(40);
    auto narrow = of_width(8), wide = of_width(16);
    trainer trains(narrow, softmax_cross_entropy<float>{}, sgd<float>{},
                   activation_change({.samples = 8, .reference = probe_reference::snapshot()}), never{},
                   no_feature_store{});
    trains.compare_with(wide);
    auto options = options_for(1);
    options.costs.reset();
    CHECK_THROWS_AS(trains.run(options, data), shape_error);
    CHECK_THROWS_WITH(trains.run(options, data),
                      ContainsSubstring("block 0 of the snapshot that the scorer compares with gives"));
}

TEST_CASE("a snapshot serves scorers that are added after it, too") {
    const auto data = images(40);
    auto snapshot = make_network();
    test_run run(make_network(), answers({0}));
    run.trains.compare_with(snapshot);
    run.trains.also_score(
        {"from the snapshot", activation_change({.samples = 8, .reference = probe_reference::snapshot()})});
    CHECK_NOTHROW(run.trains.run(options_for(1), data));
}

TEST_CASE("a scorer may compare with a snapshot, which the trainer is given") {
    const auto data = images(40);
    auto network = make_network(), snapshot = network;
    std::vector<floats> outputs, references;
    output_recorder scorer{.outputs = &outputs, .references = &references};
    scorer.observes.reference = probe_reference::snapshot();
    trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, scorer, never{},
                   no_feature_store{});
    CHECK_THROWS_AS(trains.run(options_for(1), data), argument_error);
    CHECK_THROWS_WITH(trains.run(options_for(1), data), ContainsSubstring("compares with a snapshot"));
    trains.compare_with(snapshot);
    trains.run(options_for(2), data);
    const auto batch = probe_images<float>(data, sample_ids(data), 16);
    const auto& expected = snapshot.forward(batch, 0, 5, {.phase = phase::inference});
    REQUIRE(references.size() == 2);
    for (const auto& reference : references) CHECK(same_bits(reference, {expected.data(), expected.size()}));
}

TEST_CASE("scores of gradients and outputs fall as a network converges") {
    const auto data = images(100);
    for (const char* text : {"linear_cka:samples=32", "similarity_preserving_loss:samples=32",
                             "activation_change:samples=32", "weight_change:per_learning_rate=no"}) {
        INFO(text);
        test_run run(make_network(), answers({0}), no_feature_store{}, named_scorer<float>(text));
        auto options = options_for(8);
        options.schedule = cosine{.rate = 0.05};
        run.trains.run(options, data);
        for (const std::size_t block : {0u, 2u, 4u})
            CHECK(*run.events.decisions.back().scores[block] < 0.8 * *run.events.decisions[1].scores[block]);
    }
}
