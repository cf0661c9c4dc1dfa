// SPDX-License-Identifier: MIT
#include "frostline/report/summary_table.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace frostline;

run_log log_of(const std::string& policy, std::size_t blocks,
               const std::vector<std::pair<std::size_t, std::size_t>>& frost_line) {
    run_log log{policy};
    run_started start;
    start.epochs = frost_line.size();
    start.blocks = blocks;
    log(start);
    for (std::size_t index = 0; index < frost_line.size(); ++index) {
        epoch_finished epoch;
        epoch.epoch = index + 1;
        epoch.frozen = frost_line[index].first;
        epoch.dropped = frost_line[index].second;
        log(epoch);
    }
    return log;
}

run_finished end_of(std::size_t epochs, double accuracy, double seconds, std::uint64_t forward,
                    std::uint64_t backward) {
    run_finished end;
    end.epochs = epochs;
    end.test_accuracy = accuracy;
    end.seconds = seconds;
    end.evaluation_seconds = 4.5;
    end.forward_flops = forward;
    end.forward_flops_full = 1'000'000'000'000;
    end.backward_flops = backward;
    end.backward_flops_full = 2'000'000'000'000;
    return end;
}

TEST_CASE("The summary of two runs shows results, ratios and where the frost line stood") {
    auto without = log_of("never", 6, {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}});
    without(end_of(5, 0.9873, 312.4, 1'000'000'000'000, 2'000'000'000'000));
    without.peak_memory = std::uint64_t{3} << 29;
    auto with = log_of("weight_change", 6, {{0, 0}, {0, 0}, {2, 0}, {4, 3}, {4, 3}});
    with(end_of(5, 0.9861, 201.3, 700'000'000'000, 1'100'000'000'000));
    with.finished->scoring_flops = 1'230'000;
    with.peak_memory = std::uint64_t{1} << 30;

    std::ostringstream out;
    print_summary(out, without, with);
    CHECK(out.str() == R"(                               never  weight_change
epochs                             5              5
test accuracy                98.73 %        98.61 %
training time             5 min 12 s     3 min 21 s
evaluation time               4.50 s         4.50 s
forward                   1.00 TFLOP      700 GFLOP
  saved                       0.00 %        30.00 %
backward                  2.00 TFLOP     1.10 TFLOP
forward + backward saved      0.00 %        40.00 %
scoring                       0 FLOP     1.23 MFLOP
peak memory                 1.50 GiB       1.00 GiB

training time ratio  (never / weight_change)                1.55
peak memory ratio  (never / weight_change)                  1.50
test accuracy difference  (weight_change - never, points)  -0.12

Frost line of weight_change over 6 blocks, input on the left:
  # learning  ~ frozen  . dropped
  epoch 1-2  ######  frozen 0  dropped 0
  epoch 3    ~~####  frozen 2  dropped 0
  epoch 4-5  ...~##  frozen 4  dropped 3
)");
}

TEST_CASE("The summary of one stopped run without a test set leaves out what is not known") {
    auto run = log_of("never", 3, {{1, 1}});
    auto end = end_of(1, 0, 0.5, 0, 0);
    end.test_accuracy.reset();
    end.stopped = true;
    run(end);
    run.peak_memory.reset();
    std::ostringstream out;
    print_summary(out, run);
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("1 (stopped)"));
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("test accuracy                       -\n"));
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("  epoch 1  .##  frozen 1  dropped 1\n"));
}

TEST_CASE("The summary stays narrower than 100 columns however many blocks there are") {
    auto run = log_of("weight_change", 150, {{0, 0}, {149, 101}});
    run(end_of(2, 0.5, 1, 1, 1));
    std::ostringstream out;
    print_summary(out, run, run);
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
        CHECK(line.size() <= 100);
        CHECK(std::all_of(line.begin(), line.end(),
                          [](char letter) { return letter >= ' ' && letter <= '~'; }));
    }
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("(one character: 3 blocks)"));
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring(std::string(33, '.') + std::string(16, '~') +
                                                             "#  frozen 149"));
}

TEST_CASE("Blocks that are frozen behind learning ones show in the frost line") {
    run_log run{.policy = "grades"};
    run(run_started{.blocks = 5});
    run(epoch_finished{.epoch = 1});
    run(epoch_finished{.epoch = 2, .frozen = 1, .frozen_behind = {3}});
    run(epoch_finished{.epoch = 3, .frozen = 1, .frozen_behind = {2, 3}});
    std::ostringstream out;
    print_frost_line(out, run);
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("epoch 1  #####  frozen 0"));
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("epoch 2  ~##~#  frozen 1"));
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("epoch 3  ~#~~#  frozen 1"));
}

TEST_CASE("A run that has not finished has no summary") {
    std::ostringstream out;
    CHECK_THROWS_WITH(print_summary(out, log_of("never", 3, {})), "the run of never has not finished");
}

TEST_CASE("A run log that is used again holds the last run only") {
    auto log = log_of("never", 3, {{0, 0}, {0, 0}});
    log(frost_line_moved{});
    log(run_finished{});
    log(run_started{});
    CHECK(log.policy == "never");
    CHECK(log.epochs.empty());
    CHECK(log.moves.empty());
    CHECK_FALSE(log.finished);
}

}  // namespace

TEST_CASE("Where blocks are frozen and none is dropped, the frost line says why") {
    run_log run{.policy = "linear"};
    run(run_started{.steps_per_epoch = 10, .blocks = 5});
    run(epoch_finished{.epoch = 1});
    run(frost_line_moved{
        .epoch = 1,
        .step = 10,
        .frozen = 2,
        .reason = "the policy wants 2 learning blocks frozen; no cut fits the store: the smallest, "
                  "behind block 0, needs 9 MB of 1 MB"});
    run(epoch_finished{.epoch = 2, .frozen = 2});
    run(frost_line_moved{.epoch = 2, .step = 25, .frozen = 3, .reason = "one; within an epoch"});
    run(epoch_finished{.epoch = 3, .frozen = 2});
    run(frost_line_moved{.epoch = 3, .step = 30, .frozen = 3, .dropped = 3, .reason = "two; three"});
    run(epoch_finished{.epoch = 4, .frozen = 3, .dropped = 3});
    std::ostringstream out;
    print_frost_line(out, run);
    CHECK_THAT(out.str(),
               Catch::Matchers::EndsWith("dropped 3\n  epoch 2-3 dropped nothing: no cut fits the store\n"));
}
