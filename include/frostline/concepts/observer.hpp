// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/isa.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Before the first step.
struct run_started {
    std::size_t epochs = 0;
    std::size_t steps_per_epoch = 0;
    std::size_t batch_size = 0;
    std::size_t training_samples = 0;
    std::size_t blocks = 0;
    std::size_t parameters = 0;
    std::uint64_t seed = 0;
    int threads = 0;
    std::vector<block_costs> costs{};  ///< by block of the network: what a replay counts with
    std::size_t views = 1;             ///< after how many epochs the same images come again; 0: never
    std::size_t step = 0;  ///< steps finished before: above 0 where the run goes on from a checkpoint
    std::size_t processes = 1;  ///< that share the training set and its features
};

/// After each training step.
struct step_finished {
    std::size_t epoch = 0;  ///< from 0
    std::size_t step = 0;   ///< of the whole run, from 0
    std::size_t samples = 0;
    double loss = 0;
    double learning_rate = 0;
    std::size_t frozen = 0;
    std::size_t dropped = 0;
};

/// What another scorer says at a decision.
struct scores_by {
    std::string scorer;  ///< its name, with options
    decision_scores scores{};
};

/// After the scorer was asked and before the policy moves anything: all that a replay of a policy needs.
struct decision_taken {
    std::size_t epoch = 0;
    std::size_t step = 0;
    std::vector<std::size_t> blocks{};  ///< network index of each learning block
    decision_scores scores{};           ///< by learning block
    double learning_rate_sum = 0;       ///< since the last decision
    double learning_rate_left = 0;      ///< over the steps still to come, by the schedule
    std::size_t steps = 0;              ///< since the last decision
    frozen_blocks wanted{};  ///< the policy's answer, in learning blocks, before the trainer's limits
    double train_loss = 0;   ///< mean of the samples since the last decision
    std::vector<scores_by> other_scores{};  ///< of scorers that the policy does not see
};

/// The frost line moved.
struct frost_line_moved {
    std::size_t epoch = 0;
    std::size_t step = 0;
    std::size_t frozen_before = 0, frozen = 0;    ///< in blocks of the network
    std::size_t dropped_before = 0, dropped = 0;  ///< in blocks of the network
    std::string reason{};  ///< one sentence: what the policy wanted and what the plan made of it
    std::vector<std::size_t> frozen_behind{};  ///< blocks that are frozen behind the leading ones
    std::vector<drop_option> options{};        ///< what the plan considered; empty where it was not asked
};

/// What the plan reckons with: once a run, when costs were given at its start, else when they were measured,
/// at its first freeze.
struct plan_costs_known {
    std::size_t epoch = 0;
    std::size_t step = 0;
    plan_costs costs{};
    std::vector<store_tier> tiers{};
    std::vector<std::size_t>
        row_bytes{};     ///< by block of the network: what the store takes for a row behind it
    bool grows = false;  ///< whether what is stored can be advanced to a later cut
};

/// The feature store lost rows, which are computed again from then on. Told once a run.
struct store_failed {
    std::size_t epoch = 0;
    std::size_t step = 0;
    std::string reason{};  ///< one sentence
};

/// After each epoch and its evaluation.
struct epoch_finished {
    std::size_t epoch = 0;  ///< from 1: epochs finished
    double seconds = 0;     ///< training, scoring and filling
    double evaluation_seconds = 0;
    double learning_rate = 0;  ///< of the last step
    double train_loss = 0;
    double train_accuracy = 0;  ///< share, of the training batches as they were seen
    std::optional<double> validation_accuracy{};
    std::optional<double> test_accuracy{};
    std::size_t frozen = 0;    ///< during the epoch
    std::size_t dropped = 0;   ///< during the epoch
    decision_scores scores{};  ///< by learning block, of the decision behind this epoch
    std::uint64_t forward_flops = 0;
    std::uint64_t backward_flops = 0;
    std::size_t store_bytes = 0;
    std::vector<std::size_t> frozen_behind{};  ///< blocks frozen behind the leading ones during the epoch
};

/// The share of operations that was saved of `full`; 0 where there are none.
constexpr double share_saved(std::uint64_t spent, std::uint64_t full) {
    return full == 0 ? 0.0 : 1.0 - static_cast<double>(spent) / static_cast<double>(full);
}

/// After the last epoch, or when the run was stopped.
struct run_finished {
    std::size_t epochs = 0;
    bool stopped = false;  ///< on request, before its last epoch
    std::optional<double> test_accuracy{};
    double seconds = 0;
    double evaluation_seconds = 0;
    std::uint64_t scoring_flops = 0;
    std::uint64_t forward_flops = 0;
    std::uint64_t forward_flops_full = 0;  ///< of the same samples without freezing
    std::uint64_t backward_flops = 0;
    std::uint64_t backward_flops_full = 0;
    std::size_t frozen = 0;   ///< in the last epoch
    std::size_t dropped = 0;  ///< in the last epoch

    double forward_flops_saved() const { return share_saved(forward_flops, forward_flops_full); }
    double training_flops_saved() const {
        return share_saved(forward_flops + backward_flops, forward_flops_full + backward_flops_full);
    }
};

/// An observer: is told what happens in a run, and changes nothing in it.
///
/// Requirements on a type `O`: callable with a const reference to at least one of the events above; it is
/// called for the events that it takes, in their order, from the thread that trains. An observer that wants
/// to end the run holds the std::stop_source whose token the run was given. One that keeps state which a
/// resumed run needs shows it to checkpoints by `o.for_each_state(visit)`, which visits every
/// (name, std::vector<double>&), and is called before run_started where the run is resumed.
///
/// The smallest model: `[](const epoch_finished& epoch) { std::cout << epoch.train_loss << '\n'; }`, kept in
/// a variable.
template <class O>
concept observer = std::invocable<O&, const run_started&> || std::invocable<O&, const step_finished&> ||
    std::invocable<O&, const decision_taken&> || std::invocable<O&, const frost_line_moved&> ||
    std::invocable<O&, const epoch_finished&> || std::invocable<O&, const run_finished&> ||
    std::invocable<O&, const plan_costs_known&> || std::invocable<O&, const store_failed&>;

/// Calls `target` with `event` if it takes such events.
template <class Observer, class Event>
void notify(Observer& target, const Event& event) {
    if constexpr (std::invocable<Observer&, const Event&>) target(event);
}

/// Stops compilation with one sentence when `O` does not model `observer`.
template <class O>
consteval bool explain_observer() {
    static_assert(observer<O>,
                  "frostline: an observer must be callable with a const reference to one of run_started, "
                  "step_finished, decision_taken, frost_line_moved, epoch_finished, run_finished, "
                  "plan_costs_known, store_failed");
    return true;
}

}  // namespace frostline
