// SPDX-License-Identifier: MIT
// A run that goes on from a checkpoint gives what it would have given without a break.
#include "frostline/train/checkpoints.hpp"

#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/data/transforms/cycled_views.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/tiered_feature_store.hpp"
#include "frostline/freeze/named_scorer.hpp"
#include "frostline/freeze/policies/budget.hpp"
#include "frostline/freeze/policies/layer_out.hpp"
#include "frostline/report/early_stopping.hpp"
#include "frostline/report/summary_table.hpp"
#include "io/io_files.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/temporary_folder.hpp"

#include <fstream>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

using memory_store = memory_feature_store<float>;
using disk_store = disk_feature_store<float>;
using store_maker = std::function<any_feature_store<float>()>;

constexpr std::size_t sample_count = 70;  // three steps an epoch, the last of six images

any_feature_store<float> none() { return no_feature_store{}; }
any_feature_store<float> in_memory() { return memory_store(plenty); }

/// Dropping pays wherever a block is frozen.
training_options eager_options(std::size_t epochs, std::size_t tiers = 1) {
    auto options = options_for(epochs);
    options.costs = fixed_costs(make_network(), tiers);
    for (double& seconds : options.costs->block_seconds) seconds = 1;
    return options;
}

checkpoints every_step(const std::filesystem::path& folder) {
    return checkpoints({.folder = folder, .every = {.steps = 1}, .keep = 1000});
}

template <class Event>
std::span<const Event> last(const std::vector<Event>& events, std::size_t number) {
    REQUIRE(number <= events.size());
    return std::span(events).last(number);
}

/// What was told from the checkpoint on is what was told without a break.
void check_same_events(const recorder& found, const recorder& expected) {
    CHECK(found.order.substr(1) == expected.order.substr(expected.order.size() - (found.order.size() - 1)));
    const auto steps = last(expected.steps, found.steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(found.steps[i].step == steps[i].step);
        CHECK(found.steps[i].loss == steps[i].loss);
        CHECK(found.steps[i].frozen == steps[i].frozen);
        CHECK(found.steps[i].dropped == steps[i].dropped);
    }
    const auto decisions = last(expected.decisions, found.decisions.size());
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        CHECK(found.decisions[i].scores == decisions[i].scores);
        CHECK(found.decisions[i].wanted == decisions[i].wanted);
        CHECK(found.decisions[i].train_loss == decisions[i].train_loss);
        CHECK(found.decisions[i].learning_rate_sum == decisions[i].learning_rate_sum);
        CHECK(found.decisions[i].steps == decisions[i].steps);
    }
    const auto epochs = last(expected.epochs, found.epochs.size());
    for (std::size_t i = 0; i < epochs.size(); ++i) {
        CHECK(found.epochs[i].epoch == epochs[i].epoch);
        CHECK(found.epochs[i].learning_rate == epochs[i].learning_rate);
        CHECK(found.epochs[i].train_loss == epochs[i].train_loss);
        CHECK(found.epochs[i].train_accuracy == epochs[i].train_accuracy);
        CHECK(found.epochs[i].frozen == epochs[i].frozen);
        CHECK(found.epochs[i].dropped == epochs[i].dropped);
        CHECK(found.epochs[i].frozen_behind == epochs[i].frozen_behind);
        CHECK(found.epochs[i].scores == epochs[i].scores);
        CHECK(found.epochs[i].forward_flops == epochs[i].forward_flops);
        CHECK(found.epochs[i].backward_flops == epochs[i].backward_flops);
        CHECK(found.epochs[i].store_bytes == epochs[i].store_bytes);
    }
    CHECK(found.moves.size() <= expected.moves.size());
}

void check_same_summary(const run_finished& found, const run_finished& expected) {
    CHECK(found.epochs == expected.epochs);
    CHECK(found.stopped == expected.stopped);
    CHECK(found.test_accuracy == expected.test_accuracy);
    CHECK(found.scoring_flops == expected.scoring_flops);
    CHECK(found.forward_flops == expected.forward_flops);
    CHECK(found.forward_flops_full == expected.forward_flops_full);
    CHECK(found.backward_flops == expected.backward_flops);
    CHECK(found.backward_flops_full == expected.backward_flops_full);
    CHECK(found.frozen == expected.frozen);
    CHECK(found.dropped == expected.dropped);
}

template <class Run>
void check_same_network(Run& found, Run& expected) {
    const std::size_t all = expected.trained.blocks();
    CHECK(same_bits(found.weights(), expected.weights()));
    CHECK(same_bits(found.statistics(0, all), expected.statistics(0, all)));
    CHECK(same_bits(found.momentum(0, all), expected.momentum(0, all)));
}

/// Goes on from the checkpoint behind each step of a run, with another network and an empty store.
template <dataset Data>
void check_resumes_everywhere(const Data& data, const any_policy& policy, const training_options& options,
                              const store_maker& store = none,
                              const any_scorer<float>& scorer = {"weight_change", weight_change{}}) {
    const temporary_folder folder;
    test_run undisturbed(make_network(), policy, store(), scorer);
    const auto expected = undisturbed.trains.run(options, data);
    // What drops nothing where it could would prove nothing.
    const auto& all = undisturbed.events.steps;
    CHECK(std::any_of(all.begin(), all.end(), [](const auto& step) { return step.dropped > 0; }) ==
          (store().budget() > 0));

    test_run saving(make_network(), policy, store(), scorer);
    auto saved = every_step(folder / "run");
    check_same_summary(saving.trains.run(options, data, no_data{}, no_data{}, {}, saved), expected);
    CHECK(saving.equals(undisturbed));

    const auto files = saved.files();
    REQUIRE(files.size() == undisturbed.events.steps.size());
    for (const auto& file : files) {
        INFO(file.filename().string());
        test_run resumed(make_network(99), policy, store(), scorer);
        checkpoints from;
        from.resume_from(file);
        const auto summary = resumed.trains.run(options, data, no_data{}, no_data{}, {}, from);
        check_same_network(resumed, undisturbed);
        check_same_summary(summary, expected);
        check_same_events(resumed.events, undisturbed.events);
        CHECK(resumed.events.starts.at(0).step ==
              undisturbed.events.steps.size() - resumed.events.steps.size());
    }
}

}  // namespace

TEST_CASE("a run goes on from every step: without freezing") {
    auto options = options_for(3);
    options.schedule = cosine{.rate = 0.05};
    check_resumes_everywhere(images(sample_count), answers({0}), options);
}

TEST_CASE("a run goes on from every step: frozen blocks are recomputed") {
    check_resumes_everywhere(images(sample_count), answers({1, 3, 2, 4}), options_for(5));
}

TEST_CASE("a run goes on from every step: dropped blocks, their outputs in memory") {
    check_resumes_everywhere(images(sample_count), answers({1, 2, 2, 3, 1, 4}), eager_options(7), in_memory);
}

TEST_CASE("a run goes on from every step: dropped blocks, their outputs on the disk, or partly") {
    check_resumes_everywhere(images(sample_count), answers({1, 2, 3}), eager_options(5),
                             [] { return disk_store(std::filesystem::temp_directory_path(), plenty); });
    check_resumes_everywhere(images(sample_count), answers({2}), eager_options(4, 2), [] {
        return tiered_feature_store<float, memory_store, disk_store>(
            memory_store(100'000), disk_store(std::filesystem::temp_directory_path(), plenty));
    });
}

TEST_CASE("a run goes on from every step: a store that holds a part of the rows") {
    check_resumes_everywhere(images(sample_count), answers({2}), eager_options(4),
                             [] { return small_store(60'000); });
}

TEST_CASE("a run goes on from every step: an encoding that loses digits") {
    check_resumes_everywhere(images(sample_count), answers({2}), eager_options(4),
                             [] { return memory_feature_store<float, uint8_encoding>(plenty); });
}

TEST_CASE("a run goes on from every step: views that come again") {
    const auto views = cycled_views(augmented(images(sample_count), 1, random_crop{3}, horizontal_flip{}), 2);
    check_resumes_everywhere(views, answers({1, 2, 2, 3}), eager_options(7), in_memory);
}

TEST_CASE("a run goes on from every step: decisions within epochs, and thawing") {
    auto options = eager_options(5);
    options.decide_every = 2;
    check_resumes_everywhere(images(sample_count), by_decision({0, 2, 2, 3, 1, 0, 4}), options, in_memory);
}

TEST_CASE("a run goes on from every step: blocks frozen behind others") {
    check_resumes_everywhere(images(sample_count),
                             {"layer_out", layer_out{.first = 0.7, .last = 0.4, .warm_up = 0}},
                             options_for(4));
}

TEST_CASE("a run goes on from every step: a policy that counts FLOPs") {
    check_resumes_everywhere(images(sample_count), {"budget", budget{}}, eager_options(6), in_memory);
}

TEST_CASE("a run goes on from every step: scorers whose scores are told only") {
    const temporary_folder folder;
    const auto data = images(sample_count);
    const auto with_others = [](auto& run) {
        for (const char* other : {"effective_perturbation", "svcca:samples=8,decisions=2"})
            run.trains.also_score({other, named_scorer<float>(other)});
    };
    test_run saving(make_network(), answers({0, 1}));
    with_others(saving);
    auto saved = every_step(folder / "run");
    saving.trains.run(options_for(4), data, no_data{}, no_data{}, {}, saved);
    for (const auto& file : saved.files()) {
        INFO(file.filename().string());
        test_run resumed(make_network(99), answers({0, 1}));
        with_others(resumed);
        checkpoints from;
        from.resume_from(file);
        resumed.trains.run(options_for(4), data, no_data{}, no_data{}, {}, from);
        const auto &expected = saving.events.decisions, &found = resumed.events.decisions;
        const auto first = expected.end() - static_cast<std::ptrdiff_t>(found.size());
        CHECK(std::equal(found.begin(), found.end(), first, [](const auto& a, const auto& b) {
            return std::ranges::equal(a.other_scores, b.other_scores, {}, &scores_by::scores,
                                      &scores_by::scores);
        }));
    }
}

TEST_CASE("a run goes on from every step: every kind of scorer, with its state and what it observes",
          "[slow]") {
    auto options = options_for(3);
    options.decide_every = GENERATE(0, 4);
    for (const char* scorer :
         {"weight_cosine:since=start", "path_ratio:every=2", "effective_perturbation", "gradient_norm",
          "gradient_change", "gradient_delta", "sensitivity_uncertainty",
          "activation_change:samples=8,decisions=2", "linear_cka:samples=8,reference=initial"}) {
        INFO(scorer);
        check_resumes_everywhere(images(sample_count), by_decision({0, 1}), options, none,
                                 named_scorer<float>(scorer));
    }
}

TEST_CASE("a run that is stopped after every step, and goes on each time, is the same run") {
    const auto data = images(sample_count), test = images(20);
    const auto policy = answers({1, 2, 2, 3});
    const auto options = eager_options(4);
    test_run undisturbed(make_network(), policy, in_memory());
    const auto expected = undisturbed.trains.run(options, data, test);

    const temporary_folder folder;
    std::stop_source stopped;
    stopped.request_stop();
    run_finished summary{.stopped = true};
    std::size_t runs = 0;
    for (; summary.stopped && runs < 20; ++runs) {
        test_run part(make_network(runs == 0 ? 1 : 99), policy, in_memory());
        checkpoints saved({.folder = folder / "run", .every = {}, .keep = 1});
        saved.resume();
        const bool ends = runs == 12;
        summary = part.trains.run(options, data, test, no_data{},
                                  ends ? std::stop_token() : stopped.get_token(), saved);
        CHECK(saved.files().size() == 1);
        if (!ends) continue;
        check_same_network(part, undisturbed);
        check_same_summary(summary, expected);
    }
    CHECK(runs == 13);
}

TEST_CASE("an observer goes on with its state, and the table with its epochs") {
    const temporary_folder folder;
    const auto data = images(sample_count);
    const auto run = [&](checkpoints& saved, run_log& log, std::size_t stop_after) {
        auto network = make_network();
        std::stop_source source;
        auto stopping = [&](const step_finished& step) {
            if (step.step + 1 == stop_after) source.request_stop();
        };
        early_stopping early(source, /*patience=*/10);
        trainer trains{network,
                       softmax_cross_entropy<float>{},
                       sgd<float>{},
                       weight_change{},
                       answers({1, 2, 2, 3}),
                       no_feature_store{},
                       stopping,
                       early,
                       log};
        std::vector<double> state;
        trains.run(options_for(5), data, no_data{}, no_data{}, source.get_token(), saved);
        early.for_each_state([&](const char*, std::vector<double>& found) { state = found; });
        return state;
    };
    run_log whole{.policy = "whole"}, cut{.policy = "cut"}, rest{.policy = "rest"};
    checkpoints nowhere, first({.folder = folder / "run"}), second({.folder = folder / "run"});
    const auto expected = run(nowhere, whole, 1000);
    run(first, cut, 8);
    second.resume();
    CHECK(run(second, rest, 1000) == expected);
    REQUIRE(rest.epochs.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(rest.epochs[i].epoch == whole.epochs[i].epoch);
        CHECK(rest.epochs[i].frozen == whole.epochs[i].frozen);
    }
    // What a checkpoint reads is left as it is.
    CHECK(cut.epochs.at(0).train_loss == whole.epochs.at(0).train_loss);
}

namespace {

/// The checkpoints of a short run.
struct saved_run {
    temporary_folder folder{};
    training_options options = options_for(2);
    in_memory_dataset<float> data = images(sample_count);
    checkpoints_options where{.folder = folder / "run", .identity = {{"policy", "answers"}}};

    saved_run() {
        checkpoints saved(where);
        test_run run(make_network(), answers({1}));
        run.trains.run(options, data, no_data{}, no_data{}, {}, saved);
    }

    std::filesystem::path newest() const { return folder / "run" / "step-000000000006.safetensors"; }

    /// Why a run does not go on; the network is as it was.
    template <class Network, dataset Data>
    std::string refusal(const training_options& other, const Data& samples, Network network,
                        const checkpoints_options& with) const {
        test_run<Network> run(std::move(network), answers({1}));
        const auto before = run.weights();
        try {
            checkpoints saved(with);
            saved.resume();
            run.trains.run(other, samples, no_data{}, no_data{}, {}, saved);
        } catch (const data_error& found) {
            CHECK(same_bits(run.weights(), before));
            CHECK(run.events.order.empty());
            return found.what();
        }
        return "went on";
    }
};

}  // namespace

TEST_CASE("a checkpoint of another run is refused by what differs, and changes nothing") {
    const saved_run run;
    const std::string file = run.newest().string();
    const auto with = [&](const auto& change) {
        auto options = run.options;
        change(options);
        return run.refusal(options, run.data, make_network(), run.where);
    };
    CHECK(with([](auto&) {}) == "went on");
    CHECK(with([](auto& options) { options.seed = 8; }) ==
          file + ": the seed of its run is 7, but of this run 8");
    CHECK(with([](auto& options) { options.batch_size = 35; }) ==
          file + ": the batch size of its run is 32, but of this run 35");
    CHECK(with([](auto& options) { options.epochs = 3; }) ==
          file + ": the number of epochs of its run is 2, but of this run 3");
    CHECK_THAT(with([](auto& options) { options.schedule = cosine{.rate = 0.05}; }),
               ContainsSubstring(": the learning rate of step 1 of its run is 0.05, but of this run 0.04"));
    CHECK_THAT(with([](auto& options) { options.weight_decay = 0.001; }),
               ContainsSubstring(": the weight decay of its run is 5e-04, but of this run 0.001"));
    CHECK_THAT(
        with([](auto& options) { options.decide_every = 3; }),
        ContainsSubstring(": the number of steps between decisions of its run is 0, but of this run 3"));
    CHECK_THAT(with([](auto& options) { options.shards = 2; }), ContainsSubstring("the number of shards"));

    CHECK_THAT(run.refusal(run.options, images(69), make_network(), run.where),
               ContainsSubstring("the number of training samples of its run is 70, but of this run 69"));
    std::vector<std::size_t> others(sample_count);
    for (std::size_t i = 0; i < sample_count; ++i) others[i] = i + 1;
    CHECK_THAT(run.refusal(run.options, subset(images(sample_count + 1), others), make_network(), run.where),
               ContainsSubstring("checksum of the training samples' ids"));
    auto other_policy = run.where;
    other_policy.identity = {{"policy", "never"}};
    CHECK(run.refusal(run.options, run.data, make_network(), other_policy) ==
          file + ": the policy of its run is answers, but of this run never");

    auto options = run.options;
    options.costs.reset();
    network<convolution, head> smaller(
        {28, 28, 1}, {convolution(convolution_called("0", 1, 8, 3, 2))},
        {head{global_average_pool<float>{}, linear<float>{{.name = "head", .inputs = 8, .outputs = 10}}}});
    CHECK_THAT(run.refusal(options, run.data, smaller, run.where),
               ContainsSubstring(": its network has 1.") && ContainsSubstring(", but this one has not"));
    network<convolution, head> unknown(
        {28, 28, 1}, {convolution(convolution_called("other", 1, 8, 3, 2))},
        {head{global_average_pool<float>{}, linear<float>{{.name = "head", .inputs = 8, .outputs = 10}}}});
    CHECK(run.refusal(options, run.data, unknown, run.where) ==
          file + ": its network has no other.conv.weight, but this one has");
}

TEST_CASE("a checkpoint that is cut off or has a flipped bit anywhere is refused") {
    const saved_run run;
    const auto whole = read_whole_file(run.newest());
    CHECK_NOTHROW(checkpoint_file(whole, "name"));
    const random_stream draws(1, purpose::user);
    const auto refused = [](io_files::byte_array bytes) {
        try {
            checkpoint_file(std::move(bytes), "name");
        } catch (const data_error& found) {
            return std::string(found.what()).starts_with("name: is damaged, cut off or no checkpoint: ");
        }
        return false;
    };
    for (std::size_t i = 0; i < 200; ++i) {
        INFO("number " << i);
        auto bytes = whole;
        const std::size_t place = draws.bits(2 * i) % bytes.size();
        if (i % 4 == 0)
            bytes.resize(place);
        else
            bytes[place] ^= std::byte(1u << draws.bits(2 * i + 1) % 8);
        CHECK(refused(std::move(bytes)));
    }
    for (std::size_t size = 0; size < 16; ++size)
        CHECK(
            refused(io_files::byte_array(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
}

TEST_CASE("the newest checkpoint is taken, and the one before it where it is damaged and that is wished") {
    const saved_run run;
    const auto older = run.folder / "run" / "step-000000000003.safetensors";
    checkpoints saved(run.where);
    saved.resume();
    CHECK(saved.resumes_from() == run.newest().string());

    std::filesystem::resize_file(run.newest(), 1000);
    CHECK_THROWS_WITH(checkpoints(run.where).resume(),
                      ContainsSubstring(run.newest().string() + ": is damaged, cut off or no checkpoint"));
    checkpoints again(run.where);
    again.resume(/*skip_damaged=*/true);
    CHECK(again.resumes_from() == older.string());
    test_run resumed(make_network(3), answers({1}));
    resumed.trains.run(run.options, run.data, no_data{}, no_data{}, {}, again);
    test_run whole(make_network(), answers({1}));
    whole.trains.run(run.options, run.data);
    check_same_network(resumed, whole);
    CHECK_NOTHROW(checkpoint_file(run.newest()));

    std::filesystem::resize_file(run.newest(), 1000);
    std::filesystem::resize_file(older, 1000);
    CHECK_THROWS_WITH(again.resume(true), ContainsSubstring(older.string() + ": is damaged"));
}

TEST_CASE("a checkpoint that finds no room leaves the one before it, which is whole") {
    const temporary_folder folder;
    checkpoints saved({.folder = folder / "run", .every = {.steps = 2}, .keep = 1});
    test_run run(make_network(), answers({1}));
    std::optional<file_size_limit> limit;
    run.events.on_step = [&](const step_finished& step) {
        if (step.step == 2) limit.emplace(1000);
    };
    CHECK_THROWS_AS(run.trains.run(options_for(3), images(sample_count), no_data{}, no_data{}, {}, saved),
                    data_error);
    limit.reset();
    REQUIRE(saved.files().size() == 1);
    CHECK_NOTHROW(checkpoint_file(saved.files()[0]));
    CHECK(std::distance(std::filesystem::directory_iterator(folder / "run"), {}) == 1);
}

TEST_CASE("the last checkpoints are kept, and nothing else of the folder is touched") {
    const temporary_folder folder;
    const auto inside = folder / "a" / "b";
    checkpoints saved({.folder = inside, .every = {.steps = 2}, .keep = 2});
    for (const char* name :
         {"step-000000000002.safetensors.123.part", "step-000000009999.safetensors", "notes"})
        std::ofstream(inside / name) << name;
    test_run run(make_network(), answers({1}));
    run.trains.run(options_for(3), images(sample_count), no_data{}, no_data{}, {}, saved);
    std::vector<std::string> names;
    for (const auto& path : saved.files()) names.push_back(path.filename().string());
    CHECK(names ==
          std::vector<std::string>{"step-000000000008.safetensors", "step-000000000009.safetensors"});
    CHECK(std::filesystem::exists(inside / "notes"));
    CHECK(std::distance(std::filesystem::directory_iterator(inside), {}) == 3);

    const std::size_t all = std::numeric_limits<std::size_t>::max();
    checkpoints every({.folder = folder / "every", .every = {.steps = 2}, .keep = all});
    test_run kept(make_network(), answers({1}));
    kept.trains.run(options_for(3), images(sample_count), no_data{}, no_data{}, {}, every);
    CHECK(every.files().size() == 5);

    CHECK_THROWS_WITH(checkpoints({.folder = inside, .keep = 0}),
                      "at least 1 checkpoint has to be kept, found 0");
    CHECK_THROWS_WITH(checkpoints({.folder = inside / "notes"}),
                      ContainsSubstring("notes: cannot be made ("));
    checkpoints empty({.folder = folder / "empty"});
    empty.resume();
    CHECK(empty.resumes_from().empty());
}

TEST_CASE("checkpoints are due after epochs, steps and minutes") {
    const temporary_folder folder;
    const auto made = [&](const checkpoint_every& every) {
        return checkpoints({.folder = folder / "run", .every = every});
    };
    CHECK(made({.epochs = 2}).due_after_epoch(4));
    CHECK_FALSE(made({.epochs = 2}).due_after_epoch(5));
    CHECK_FALSE(made({.epochs = 2}).due_after_step(4));
    CHECK(made({.steps = 3}).due_after_step(6));
    CHECK_FALSE(made({.steps = 3}).due_after_step(7));
    CHECK(made({.minutes = 1e-9}).due_after_step(7));
    CHECK_FALSE(made({.minutes = 1}).due_after_step(7));
    CHECK_FALSE(checkpoints().due_after_epoch(1));
}

TEST_CASE("a scorer that hides its state is refused checkpoints before the first step") {
    struct counting {
        observations observes{};
        double calls = 0;
        std::optional<double> operator()(const block_view<float>&) { return ++calls; }
    };
    const temporary_folder folder;
    checkpoints saved({.folder = folder / "run"});
    test_run run(make_network(), answers({0}), none(), {"counting", counting{}});
    CHECK_THROWS_WITH(run.trains.run(options_for(2), images(64), no_data{}, no_data{}, {}, saved),
                      ContainsSubstring("expected a member for_each_state(visit)"));
    CHECK(run.events.order.empty());
    CHECK_NOTHROW(run.trains.run(options_for(2), images(64)));
}

TEST_CASE("a checkpoint is a file of weights, too, and keeps momentum under the names of parameters") {
    const saved_run run;
    auto network = make_network(5);
    load_weights(network, run.newest()).require_complete();
    test_run whole(make_network(), answers({1}));
    whole.trains.run(run.options, run.data);
    CHECK(same_bits(weights_of(network, 0, network.blocks()), whole.weights()));
    const safetensors_file file(run.newest());
    const auto* momentum = file.find("frostline.optimiser.momentum.1.conv.weight");
    REQUIRE(momentum != nullptr);
    CHECK(momentum->shape == std::vector<std::size_t>{16, 8, 3, 3});
    CHECK(file.metadata().at("seed") == "7");
}
