// SPDX-License-Identifier: MIT
#include "frostline/train/trainer.hpp"

#include "frostline/data/transforms/subset.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

#include <limits>
#include <stop_token>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("training lowers the loss and classifies better than chance") {
    const auto data = images(200);
    test_run run(make_network(), answers({0}));
    const auto summary = run.trains.run(options_for(12), data, data);
    CHECK(run.events.epochs.back().train_loss < 0.6 * run.events.epochs.front().train_loss);
    CHECK(run.events.epochs.back().train_accuracy > 0.6);
    CHECK(*summary.test_accuracy > 0.5);
}

TEST_CASE("an observer is told every event in its order") {
    const auto data = images(70);
    test_run run(make_network(), answers({0, 2, 2}), memory_feature_store<float>(plenty));
    run.trains.run(options_for(3), data, take_first(data, 10), take_first(data, 20));
    CHECK(run.events.order ==
          "s"
          "...ed"
          "...edm"
          "...ed"
          "f");
}

TEST_CASE("evaluations may be some epochs apart, and the last epoch has one") {
    const auto data = images(70);
    test_run run(make_network(), answers({0}));
    auto options = options_for(5);
    options.evaluate_every = 2;
    const auto summary = run.trains.run(options, data, take_first(data, 10), take_first(data, 20));
    for (const auto& report : run.events.epochs) {
        const bool evaluated = report.epoch == 2 || report.epoch == 4 || report.epoch == 5;
        CHECK(report.test_accuracy.has_value() == evaluated);
        CHECK(report.validation_accuracy.has_value() == evaluated);
    }
    CHECK(summary.test_accuracy == run.events.epochs.back().test_accuracy);
}

TEST_CASE("the events carry what happened") {
    const auto data = images(70);
    test_run run(make_network(), answers({0, 2, 2, 2}), memory_feature_store<float>(plenty));
    auto options = options_for(4);
    options.schedule = [](const schedule_point& point) { return 0.01 * static_cast<double>(point.step + 1); };
    const auto summary = run.trains.run(options, data, take_first(data, 10), take_first(data, 20));
    const auto& events = run.events;

    const auto& start = events.starts.at(0);
    CHECK(start.epochs == 4);
    CHECK(start.steps_per_epoch == 3);
    CHECK(start.batch_size == 32);
    CHECK(start.training_samples == 70);
    CHECK(start.blocks == 6);
    CHECK(start.parameters == run.trained.parameters());
    CHECK(start.seed == 7);
    CHECK(start.threads == threads());

    REQUIRE(events.steps.size() == 12);
    for (std::size_t step = 0; step < 12; ++step) {
        CHECK(events.steps[step].step == step);
        CHECK(events.steps[step].epoch == step / 3);
        CHECK(events.steps[step].samples == (step % 3 == 2 ? 6 : 32));
        CHECK(events.steps[step].learning_rate == 0.01 * static_cast<double>(step + 1));
        CHECK(events.steps[step].frozen == (step < 6 ? 0 : 3));
    }

    REQUIRE(events.epochs.size() == 4);
    for (std::size_t epoch = 0; epoch < 4; ++epoch) {
        const auto& report = events.epochs[epoch];
        CHECK(report.epoch == epoch + 1);
        CHECK(report.learning_rate == events.steps[3 * epoch + 2].learning_rate);
        const auto* steps = &events.steps[3 * epoch];
        CHECK(report.train_loss ==
              Catch::Approx((32 * steps[0].loss + 32 * steps[1].loss + 6 * steps[2].loss) / 70));
        CHECK(report.train_accuracy >= 0);
        CHECK(report.train_accuracy <= 1);
        CHECK(report.test_accuracy.has_value());
        CHECK(report.validation_accuracy.has_value());
        CHECK(report.frozen == steps[0].frozen);
        CHECK(report.dropped == steps[0].dropped);
        CHECK((report.store_bytes > 0) == (report.dropped > 0));
        CHECK(report.seconds > 0);
        CHECK(report.evaluation_seconds > 0);
        CHECK(report.scores == events.decisions[epoch].scores);
    }
    CHECK(events.epochs.back().dropped == 3);

    REQUIRE(events.decisions.size() == 4);
    for (std::size_t epoch = 0; epoch < 4; ++epoch) {
        const auto& decision = events.decisions[epoch];
        CHECK(decision.epoch == epoch + 1);
        CHECK(decision.step == 3 * (epoch + 1));
        CHECK(decision.steps == 3);
        const auto* steps = &events.steps[3 * epoch];
        CHECK(decision.learning_rate_sum ==
              Catch::Approx(steps[0].learning_rate + steps[1].learning_rate + steps[2].learning_rate));
        double left = 0;
        for (std::size_t step = 3 * (epoch + 1); step < 12; ++step) left += events.steps[step].learning_rate;
        CHECK(decision.learning_rate_left == Catch::Approx(left));
        CHECK(decision.wanted == (epoch == 0 ? 0 : 2));
        REQUIRE(decision.scores.size() == 5);
        for (std::size_t block = 0; block < 5; ++block)
            CHECK(decision.scores[block].has_value() == (epoch < 2 || block >= 2));
    }

    const auto& move = events.moves.at(0);
    CHECK(move.epoch == 2);
    CHECK(move.step == 6);
    CHECK(move.frozen_before == 0);
    CHECK(move.frozen == 3);
    CHECK(move.dropped_before == 0);
    CHECK(move.dropped == 3);
    CHECK_THAT(move.reason, ContainsSubstring("the policy wants 2 learning blocks frozen"));

    const auto& end = events.ends.at(0);
    CHECK(end.epochs == 4);
    CHECK_FALSE(end.stopped);
    CHECK(end.test_accuracy == events.epochs.back().test_accuracy);
    CHECK(end.frozen == 3);
    CHECK(end.dropped == 3);
    CHECK(end.forward_flops == summary.forward_flops);
    CHECK(end.seconds == summary.seconds);
}

TEST_CASE("every observer is told, and only of the events it takes") {
    const auto data = images(64);
    auto network = make_network();
    std::string order;
    auto first = [&](const epoch_finished&) { order += 'a'; };
    auto second = [&](const step_finished&) { order += 'b'; };
    struct both {
        std::string* order;
        void operator()(const epoch_finished&) { *order += 'c'; }
        void operator()(const run_finished&) { *order += 'd'; }
    } third{&order};
    trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, weight_change{}, never{},
                   no_feature_store{}, first, second, third);
    trains.run(options_for(2), data);
    CHECK(order ==
          "bbac"
          "bbac"
          "d");
}

TEST_CASE("data sets that are not there are not evaluated") {
    const auto data = images(32);
    test_run run(make_network(), answers({0}));
    std::optional<in_memory_dataset<float>> absent, present = data;
    CHECK_FALSE(run.trains.run(options_for(1), data).test_accuracy);
    CHECK_FALSE(run.events.epochs[0].validation_accuracy);
    CHECK_FALSE(run.trains.run(options_for(1), data, absent, present).test_accuracy);
    CHECK(run.events.epochs[1].validation_accuracy);
}

TEST_CASE("a stopped run ends after the step in which it is asked to") {
    const auto data = images(96);
    test_run run(make_network(), answers({2}));
    std::stop_source source;
    run.events.on_step = [&](const step_finished& step) {
        if (step.step == 4) source.request_stop();
    };
    const auto summary = run.trains.run(options_for(9), data, data, no_data{}, source.get_token());
    CHECK(summary.stopped);
    CHECK(summary.epochs == 2);
    CHECK(summary.test_accuracy);
    // The epoch that was cut short is reported, but nothing is decided on it.
    CHECK(run.events.order ==
          "s"
          "...edm"
          "..e"
          "f");
    CHECK(run.events.epochs[1].train_loss ==
          Catch::Approx((run.events.steps[3].loss + run.events.steps[4].loss) / 2));
    CHECK(run.events.epochs[1].scores.empty());
}

TEST_CASE("a run that is stopped behind an epoch ends there, and is evaluated") {
    const auto data = images(96);
    for (const std::size_t evaluate_every : {1, 3}) {
        test_run run(make_network(), answers({2}));
        std::stop_source source;
        run.events.on_epoch = [&](const epoch_finished& epoch) {
            if (epoch.epoch == 2) source.request_stop();
        };
        auto options = options_for(9);
        options.evaluate_every = evaluate_every;
        const auto summary = run.trains.run(options, data, data, no_data{}, source.get_token());
        CHECK(summary.stopped);
        CHECK(summary.epochs == 2);
        CHECK(summary.test_accuracy);
        CHECK(run.events.order ==
              "s"
              "...edm"
              "...ed"
              "f");
    }
}

TEST_CASE("a run that has to stop before it starts ends after its first step") {
    std::stop_source source;
    source.request_stop();
    test_run run(make_network(), answers({0}));
    const auto summary = run.trains.run(options_for(3), images(64), no_data{}, no_data{}, source.get_token());
    CHECK(summary.stopped);
    CHECK(run.events.order == "s.ef");
}

TEST_CASE("a run that finishes was not stopped") {
    test_run run(make_network(), answers({0}));
    CHECK_FALSE(run.trains.run(options_for(1), images(32)).stopped);
}

TEST_CASE("a run that diverges names the block, the step and the rate") {
    test_run run(make_network(), answers({0}));
    auto options = options_for(20);
    options.schedule = constant{1e30};
    CHECK_THROWS_WITH(run.trains.run(options, images(64)),
                      ContainsSubstring("training diverged") && ContainsSubstring("block ") &&
                          ContainsSubstring("step ") && ContainsSubstring("learning rate 1e+30"));
    CHECK(run.events.ends.empty());
    CHECK_THROWS_AS(run.trains.run(options, images(64)), divergence_error);
}

TEST_CASE("an image that is not a number stops the run at its step") {
    auto pixels = batch_of(images(64), 0, 64);
    pixels(40, 3, 3, 0) = std::numeric_limits<float>::quiet_NaN();
    const in_memory_dataset<float> data(std::move(pixels), std::vector<std::int32_t>(64, 1), 10);
    test_run run(make_network(), answers({0}));
    CHECK_THROWS_AS(run.trains.run(options_for(1), data), divergence_error);
    CHECK(run.events.steps.size() <= 1);
}

TEST_CASE("a trainer can run again after a run that diverged") {
    const auto data = images(64);
    test_run run(make_network(), answers({2}), memory_feature_store<float>(plenty));
    auto options = options_for(3);
    options.schedule = constant{1e30};
    CHECK_THROWS_AS(run.trains.run(options, data), divergence_error);

    run.trained.initialise(1);
    run.events = {};
    run.trains.run(options_for(4), data);
    test_run fresh(make_network(), answers({2}), memory_feature_store<float>(plenty));
    fresh.trains.run(options_for(4), data);
    CHECK(run.equals(fresh));
}

namespace {

/// Sample 20 cannot be read while `damaged`.
struct set_with_a_damaged_sample : in_memory_dataset<float> {
    bool damaged = true;

    template <class T>
    void read(std::size_t index, std::span<T> pixels) const {
        require<data_error>(!damaged || index != 20, "sample 20 is damaged");
        in_memory_dataset<float>::read(index, pixels);
    }
};

}  // namespace

TEST_CASE("a sample that cannot be read ends the run before the step that needs it, and another may follow") {
    set_with_a_damaged_sample data{images(64)};
    test_run run(make_network(), answers({0}));
    const auto options = options_for(2, 8);
    const auto order = batch_order(sample_ids(data), options.seed, 0);
    const auto place =
        static_cast<std::size_t>(std::find(order.begin(), order.end(), std::size_t{20}) - order.begin());
    CHECK_THROWS_WITH(run.trains.run(options, data), "sample 20 is damaged");
    CHECK(run.events.steps.size() == place / 8);

    data.damaged = false;
    run.trained.initialise(1);
    run.events = {};
    run.trains.run(options, data);
    test_run fresh(make_network(), answers({0}));
    fresh.trains.run(options, data);
    CHECK(run.equals(fresh));
}

TEST_CASE("options out of range are refused in one sentence before anything is told") {
    const auto data = images(40);
    test_run run(make_network(), answers({0}));
    const auto refused = [&](const training_options& options, const std::string& message) {
        CHECK_THROWS_AS(run.trains.run(options, data), argument_error);
        CHECK_THROWS_WITH(run.trains.run(options, data), ContainsSubstring(message));
    };
    auto options = options_for(0);
    refused(options, "the number of epochs must be from 1 to 1000000000, found 0");
    options.epochs = static_cast<std::size_t>(-1);
    refused(options, "the number of epochs must be from 1 to 1000000000, found 18446744073709551615");
    options = options_for(1, 41);
    refused(options,
            "the batch size is 41, expected at least 1 and at most 40, the number of training samples");
    options = options_for(1, 0);
    refused(options, "the batch size is 0, expected at least 1");
    options = options_for(1);
    options.weight_decay = -1e-4;
    refused(options, "the weight decay must be finite and not negative, found -0.0001");
    options.weight_decay = std::numeric_limits<double>::quiet_NaN();
    refused(options, "the weight decay must be finite and not negative, found nan");
    options = options_for(1);
    options.shards = 0;
    refused(options, "the number of shards must be at least 1, found 0");
    options.shards = 5;
    refused(options, "the batch size is 32, expected a multiple of 5, the number of shards");
    options = options_for(1);
    options.evaluate_every = 0;
    refused(options, "the number of epochs between evaluations must be at least 1, found 0");
    CHECK(run.events.order.empty());
}

TEST_CASE("data and a network that do not fit are refused in one sentence") {
    test_run run(make_network(), answers({0}));
    CHECK_THROWS_AS(run.trains.run(options_for(1), images(40, 32)), shape_error);
    CHECK_THROWS_WITH(run.trains.run(options_for(1), images(40, 32)),
                      "the network takes samples of 28x28x1, but the training set has 32x32x1");
    test_run too_many(make_network(1, 12), answers({0}));
    CHECK_THROWS_AS(too_many.trains.run(options_for(1), images(40)), shape_error);
    CHECK_THROWS_WITH(too_many.trains.run(options_for(1), images(40)),
                      "the network has 12 outputs, but the training set has 10 classes");
    CHECK(run.events.order.empty());
}

TEST_CASE("a batch may be the whole set") {
    test_run run(make_network(), answers({2}), memory_feature_store<float>(plenty));
    run.trains.run(options_for(3, 40), images(40));
    CHECK(run.events.steps.size() == 3);
}

TEST_CASE("a run whose last update destroys the weights ends with an error") {
    auto options = options_for(1, 40);
    options.schedule = constant{.rate = 1e39};  // infinite as a float
    test_run run(make_network(), answers({0}));
    CHECK_THROWS_AS(run.trains.run(options, images(40)), divergence_error);
    CHECK(run.events.ends.empty());
    CHECK_THROWS_WITH(run.trains.run(options, images(40)), ContainsSubstring("training diverged: "));
    test_run again(make_network(), answers({0}));
    CHECK_THROWS_WITH(again.trains.run(options, images(40)),
                      ContainsSubstring("after its update a weight of block 0 is NaN or infinite at step 0"));
    options.schedule = constant{.rate = 1000};
    test_run garbage(make_network(), answers({0}));
    CHECK_NOTHROW(garbage.trains.run(options, images(40)));
}

TEST_CASE("a run whose last loss is infinite ends with an error") {
    network<small_run::convolution, small_run::head> trained = [] {
        return network<small_run::convolution, small_run::head>(
            {28, 28, 1}, {small_run::convolution(small_run::convolution_called("0", 1, 8))},
            {small_run::head{global_average_pool<float>{},
                             linear<float>{{.name = "head", .inputs = 8, .outputs = 10}}}});
    }();
    const auto infinite = [](const tensor<float>& logits, std::span<const std::int32_t>,
                             tensor<float>& gradient) {
        resize(gradient, samples_of(logits), shape_of(logits));
        std::fill_n(gradient.data(), gradient.size(), 0.0f);
        return std::numeric_limits<double>::infinity();
    };
    trainer run{trained, infinite, sgd<float>{}, weight_change{}, never{}, no_feature_store{}};
    auto options = options_for(1);
    options.costs.reset();  // those of another network
    CHECK_THROWS_WITH(run.run(options, images(40)),
                      ContainsSubstring("the loss is NaN or infinite at step 1"));
}
