// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/isa.hpp"
#include "frostline/train/flop_counter.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The mean of losses, weighted by samples.
struct loss_sum {
    double sum = 0;
    std::size_t samples = 0;

    void add(double loss, std::size_t of_samples) {
        sum += loss * static_cast<double>(of_samples);
        samples += of_samples;
    }
    double mean() const { return samples == 0 ? 0.0 : sum / static_cast<double>(samples); }
};

/// How far a run is, between two steps, and what it has counted.
struct run_progress {
    std::size_t epoch = 0;   ///< the one under way, from 0
    std::size_t step = 0;    ///< steps finished
    run_finished summary{};  ///< of the epochs before
    loss_sum since_decision{};
    double last_loss = 0;

    // Of the epoch under way.
    epoch_finished report{};
    loss_sum losses{};
    std::size_t correct = 0;
    double seconds = 0;  ///< until it was last saved

    void start_epoch(std::size_t frozen, std::size_t dropped, std::vector<std::size_t> frozen_behind) {
        report = {.epoch = epoch + 1,
                  .frozen = frozen,
                  .dropped = dropped,
                  .frozen_behind = std::move(frozen_behind)};
        losses = {};
        correct = 0;
        seconds = 0;
    }

    void finish_step(double loss, std::size_t correct_samples, std::size_t samples) {
        last_loss = loss;
        correct += correct_samples;
        losses.add(loss, samples);
        since_decision.add(loss, samples);
        ++step;
    }

    /// Adds the epoch and its report to the summary.
    void finish_epoch(const flop_counter& flops, std::uint64_t scoring_flops, std::size_t frozen,
                      std::size_t dropped) {
        summary.epochs = ++epoch;
        summary.test_accuracy = report.test_accuracy;
        summary.seconds += report.seconds;
        summary.evaluation_seconds += report.evaluation_seconds;
        summary.forward_flops += report.forward_flops;
        summary.backward_flops += report.backward_flops;
        summary.forward_flops_full += flops.forward_full();
        summary.backward_flops_full += flops.backward_full();
        summary.scoring_flops = scoring_flops;
        summary.frozen = frozen;
        summary.dropped = dropped;
    }

    /// For checkpoints.
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("epoch", epoch);
        visit("step", step);
        visit("since_decision.sum", since_decision.sum);
        visit("since_decision.samples", since_decision.samples);
        visit("last_loss", last_loss);

        visit("summary.epochs", summary.epochs);
        visit("summary.test_accuracy", summary.test_accuracy);
        visit("summary.seconds", summary.seconds);
        visit("summary.evaluation_seconds", summary.evaluation_seconds);
        visit("summary.scoring_flops", summary.scoring_flops);
        visit("summary.forward_flops", summary.forward_flops);
        visit("summary.forward_flops_full", summary.forward_flops_full);
        visit("summary.backward_flops", summary.backward_flops);
        visit("summary.backward_flops_full", summary.backward_flops_full);
        visit("summary.frozen", summary.frozen);
        visit("summary.dropped", summary.dropped);

        visit("report.epoch", report.epoch);
        visit("report.learning_rate", report.learning_rate);
        visit("report.frozen", report.frozen);
        visit("report.dropped", report.dropped);
        visit("report.frozen_behind", report.frozen_behind);
        visit("report.scores", report.scores);
        visit("losses.sum", losses.sum);
        visit("losses.samples", losses.samples);
        visit("correct", correct);
        visit("seconds", seconds);
    }
};

}  // namespace frostline
