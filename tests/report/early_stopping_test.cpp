// SPDX-License-Identifier: MIT
#include "frostline/report/early_stopping.hpp"

#include "support/catch.hpp"

#include <cstddef>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace {

using namespace frostline;

static_assert(observer<early_stopping>);

struct epoch_result {
    std::optional<double> validation_accuracy;
    double train_loss;
};

/// The epoch after which the run would be stopped; 0: never.
std::size_t stopped_after(const std::vector<epoch_result>& results, std::size_t patience, double min_delta) {
    std::stop_source source;
    early_stopping stopping(source, patience, min_delta);
    for (std::size_t index = 0; index < results.size(); ++index) {
        epoch_finished event;
        event.epoch = index + 1;
        event.validation_accuracy = results[index].validation_accuracy;
        event.train_loss = results[index].train_loss;
        stopping(event);
        if (source.stop_requested()) return index + 1;
    }
    return 0;
}

TEST_CASE("Early stopping ends a run after the given epochs without a better validation accuracy") {
    const std::vector<epoch_result> trace{{0.50, 9}, {0.60, 8}, {0.605, 7}, {0.60, 6},
                                          {0.62, 5}, {0.61, 4}, {0.62, 3}};
    CHECK(stopped_after(trace, 1, 0) == 4);
    CHECK(stopped_after(trace, 2, 0) == 7);
    CHECK(stopped_after(trace, 3, 0) == 0);
    // 0.605 is no improvement by 0.01, so the best stays 0.60 of epoch 2.
    CHECK(stopped_after(trace, 2, 0.01) == 4);
    CHECK(stopped_after(trace, 2, 0.5) == 3);
}

TEST_CASE("Early stopping watches the training loss where there is no validation") {
    const std::vector<epoch_result> trace{{{}, 2.0}, {{}, 1.0}, {{}, 1.0}, {{}, 0.9}, {{}, 0.95}, {{}, 0.91}};
    CHECK(stopped_after(trace, 1, 0) == 3);
    CHECK(stopped_after(trace, 2, 0) == 6);
    CHECK(stopped_after(trace, 2, 0.2) == 4);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(stopped_after({{{}, 1.0}, {{}, nan}, {{}, nan}, {{}, 0.5}}, 2, 0) == 3);
    CHECK(stopped_after({{{}, nan}, {{}, nan}, {{}, 0.5}}, 2, 0) == 2);
}

TEST_CASE("Early stopping judges only the epochs with a validation once there was one") {
    // The loss of epochs 1 and 2 says nothing about the accuracy of epoch 3.
    const std::vector<epoch_result> trace{{{}, 1},  {{}, 9}, {0.5, 9}, {{}, 9}, {{}, 9},
                                          {0.6, 9}, {{}, 9}, {{}, 9},  {0.6, 9}};
    CHECK(stopped_after(trace, 3, 0) == 9);
    CHECK(stopped_after(trace, 4, 0) == 0);
}

TEST_CASE("Early stopping goes on where a checkpoint left it") {
    std::stop_source source;
    epoch_finished event;
    early_stopping first(source, 2);
    event.epoch = 1;
    event.validation_accuracy = 0.7;
    first(event);
    std::vector<double> saved;
    first.for_each_state([&](const char* name, std::vector<double>& state) {
        CHECK(std::string(name) == "early_stopping");
        saved = state;
    });

    early_stopping resumed(source, 2);
    resumed.for_each_state([&](const char*, std::vector<double>& state) { state = saved; });
    event.validation_accuracy = 0.6;
    event.epoch = 2;
    resumed(event);
    CHECK_FALSE(source.stop_requested());
    event.epoch = 3;
    resumed(event);
    CHECK(source.stop_requested());
}

TEST_CASE("Early stopping refuses a patience of 0 and a negative min_delta") {
    const std::stop_source source;
    CHECK_THROWS_WITH(early_stopping(source, 0),
                      "the patience of early stopping must be at least 1 epoch, found 0");
    CHECK_THROWS_AS(early_stopping(source, 1, -0.1), argument_error);
    CHECK_THROWS_AS(early_stopping(source, 1, std::numeric_limits<double>::quiet_NaN()), argument_error);
}

}  // namespace
