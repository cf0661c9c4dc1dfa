// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/features/assumed_costs.hpp"
#include "frostline/features/drop_plan.hpp"
#include "frostline/features/feature_index.hpp"
#include "frostline/report/recorded_run.hpp"
#include "frostline/train/costs.hpp"
#include "frostline/train/flop_counter.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a policy would have frozen.
struct replay_result {
    struct move {
        std::size_t epoch = 0;    ///< epochs finished
        std::size_t step = 0;     ///< steps finished
        frozen_blocks frozen{};   ///< learning blocks, within the trainer's limits
        std::size_t dropped = 0;  ///< blocks of the network
    };
    std::vector<move> moves{};  ///< where something changes
    std::uint64_t forward_flops = 0, forward_flops_full = 0;
    std::uint64_t backward_flops = 0, backward_flops_full = 0;

    double forward_flops_saved() const { return share_saved(forward_flops, forward_flops_full); }
    double training_flops_saved() const {
        return share_saved(forward_flops + backward_flops, forward_flops_full + backward_flops_full);
    }
};

/// What the plan reckons with in a replay: what it reckoned with in the recorded run; where nothing was
/// measured there, or with another `store_budget`, a store in memory of that many bytes on an assumed
/// machine.
inline plan_costs_known replay_basis(const recorded_run& run, std::optional<std::size_t> store_budget = {}) {
    if (run.plan && !store_budget) return *run.plan;
    const std::size_t budget = store_budget.value_or(run.store_budget.value_or(std::size_t{4} << 30));
    plan_costs_known basis{.tiers = {{.name = "memory", .budget = budget}}, .grows = true};
    basis.costs = run.plan ? run.plan->costs : assumed_costs(run.costs, 1);
    basis.costs.tiers.resize(1);
    if (run.plan)
        basis.row_bytes = run.plan->row_bytes;
    else
        for (const auto& block : run.costs)
            basis.row_bytes.push_back(static_cast<std::size_t>(block.output_bytes) + feature_index_bytes);
    return basis;
}

/// Runs a policy on the decisions of a recorded run, without training: what it would have frozen and when,
/// and the FLOPs that the trainer would have counted. The policy sees no scores of what it has frozen, as in
/// a run of its own; but the scores are those of the recorded run, so that of a policy that trained it (or of
/// one that decides alike) the replay is exact, unless a store with room for a part of the rows holds two
/// cuts at a time; of any other it tells what it would have done at each decision with those scores. The
/// record of a run with `never` has scores of all blocks, and serves for all policies whose scorers it has,
/// its own or others (`trainer::also_score`); a policy that is meant for another one decides by the record's
/// own.
/// @param basis  what the plan reckons with, see replay_basis
template <freezing_policy Policy>
replay_result replay(const recorded_run& run, const Policy& policy, const plan_costs_known& basis) {
    const std::size_t blocks = run.learning_blocks.size(), last = blocks - 1;
    const auto of_learning_block = [&](std::size_t i) {
        return i == 0 || blocks < 2 ? 0 : run.learning_blocks[std::min(i, last)];
    };
    const auto costs = costs_of_learning_blocks(run.costs, run.learning_blocks);
    std::vector<std::size_t> learning_block_of(run.blocks());
    for (std::size_t block = 0, i = 0; block < run.blocks(); ++block) {
        if (i + 1 < blocks && run.learning_blocks[i + 1] <= block) ++i;
        learning_block_of[block] = i;
    }

    replay_result result;
    flop_counter flops(run);
    frozen_blocks frozen;
    std::vector<bool> behind;
    std::size_t dropped = 0;
    const std::size_t views = std::max<std::size_t>(1, run.views);
    // What is stored of each view; the first epoch on a view that is not, or at an earlier cut, runs the
    // dropped blocks behind that once more.
    struct stored_view {
        std::size_t cut = 0, rows = 0;
    };
    std::vector<stored_view> stored(views);
    double share = 1;
    std::size_t tiers_used = 0;
    std::vector<decision_scores> scores;
    std::vector<double> train_losses, learning_rates;
    auto next = run.decisions.begin();
    const double full_of_epoch =
        static_cast<double>(flops.full_of_sample()) * static_cast<double>(run.training_samples);
    // The seconds of the record are those of the epochs that it finished.
    const double full = full_of_epoch * static_cast<double>(run.epochs),
                 full_timed = full_of_epoch * static_cast<double>(run.finished_epochs);

    const auto change = [&](std::size_t epoch, std::size_t step, const frozen_blocks& wanted,
                            std::size_t dropped_then) {
        if (dropped_then < dropped || (dropped_then > dropped && !basis.grows)) stored.assign(views, {});
        if (wanted != frozen || dropped_then != dropped)
            result.moves.push_back({epoch, step, wanted, dropped_then});
        frozen = wanted;
        dropped = dropped_then;
        behind.assign(frozen.behind().empty() ? 0 : run.blocks(), false);
        for (std::size_t block = 0; block < behind.size(); ++block)
            behind[block] =
                block >= of_learning_block(frozen.leading()) && frozen.contains(learning_block_of[block]);
    };
    const auto change_between_epochs = [&](std::size_t epoch, std::size_t step, const frozen_blocks& wanted) {
        const auto plan = plan_drop(
            {.blocks = run.costs,
             .row_bytes = basis.row_bytes,
             .tiers = basis.tiers,
             .samples = (run.training_samples + run.processes - 1) / run.processes,
             .views = run.views,
             .epochs_left = run.epochs - epoch,
             .frozen = of_learning_block(wanted.leading()),
             .dropped = dropped,
             .filled_views = static_cast<std::size_t>(std::ranges::count(stored, dropped, &stored_view::cut)),
             .tiers_used = tiers_used,
             .grows = basis.grows},
            basis.costs);
        if (plan.dropped != dropped) tiers_used = plan.tiers;
        share = plan.share;
        change(epoch, step, wanted, plan.dropped);
    };
    // After an epoch on a view; views that came earlier have taken their room.
    const auto store = [&](std::size_t view) {
        auto room =
            static_cast<std::size_t>(share * static_cast<double>(views * run.training_samples) + 1e-6);
        for (std::size_t other = 0; other < views; ++other)
            if (other != view) room -= std::min(room, stored[other].rows);
        stored[view] =
            dropped == 0 ? stored_view{} : stored_view{dropped, std::min(room, run.training_samples)};
    };
    const auto within_limits = [&](const frozen_blocks& wanted) {
        frozen_blocks allowed(std::min(wanted.leading(), last));
        for (const std::size_t block : wanted.behind())
            if (block < last) allowed.insert(block);
        return allowed;
    };
    const auto decide = [&](const recorded_run::decision& made) {
        scores.push_back(run.scores_for(scorer_of(policy), made));
        for (std::size_t block = 0; block < blocks; ++block)
            if (frozen.contains(block)) scores.back()[block] = std::nullopt;
        train_losses.push_back(made.train_loss);
        learning_rates.push_back(made.learning_rate);
        const auto spent = static_cast<double>(flops.forward_full() + flops.backward()),
                   ran = static_cast<double>(flops.forward() + flops.backward());
        const frozen_blocks wanted = policy(
            training_view{.epoch = made.epoch,
                          .epochs = run.epochs,
                          .step = made.step,
                          .blocks = blocks,
                          .last_freezable = last,
                          .frozen = frozen.leading(),
                          .scores = scores,
                          .train_losses = train_losses,
                          .learning_rates = learning_rates,
                          .learning_rate_left = made.learning_rate_left,
                          .costs = costs,
                          .steps = run.epochs * run.steps_per_epoch,
                          .frozen_behind = frozen.behind(),
                          .spent = {spent, full, full_timed > 0 ? run.seconds * ran / full_timed : 0}});
        return within_limits(wanted);
    };

    if (const auto wanted =
            within_limits(frozen_at_start(policy, training_view{.epochs = run.epochs,
                                                                .blocks = blocks,
                                                                .last_freezable = last,
                                                                .costs = costs,
                                                                .steps = run.epochs * run.steps_per_epoch}));
        wanted != frozen)
        change_between_epochs(0, 0, wanted);

    for (std::size_t epoch = 0, step = 0; epoch < std::min(run.epochs, run.finished_epochs); ++epoch) {
        for (std::size_t seen = 0; seen < run.training_samples;) {
            const std::size_t samples = std::min(run.batch_size, run.training_samples - seen);
            const std::size_t boundary = of_learning_block(frozen.leading());
            const auto& [cut, rows] = stored[epoch % views];
            const std::size_t from = std::min(cut, dropped);
            const std::size_t read = from == 0 ? 0
                                               : rows * (seen + samples) / run.training_samples -
                                                     rows * seen / run.training_samples;
            flops.add_step(samples, samples - read, boundary, dropped, behind);
            flops.add_advance(read, from, dropped);
            seen += samples;
            ++step;
            if (next == run.decisions.end() || next->step != step || seen == run.training_samples) continue;
            const auto wanted = decide(*next++);
            const std::size_t kept = dropped <= of_learning_block(wanted.leading()) ? dropped : 0;
            change(epoch, step, wanted, kept);
        }
        store(epoch % views);
        frozen_blocks wanted = frozen;
        if (next != run.decisions.end() && next->step == step) wanted = decide(*next++);
        if (epoch + 1 == run.epochs) break;
        change_between_epochs(epoch + 1, step, wanted);
    }
    result.forward_flops = flops.forward();
    result.forward_flops_full = flops.forward_full();
    result.backward_flops = flops.backward();
    result.backward_flops_full = flops.backward_full();
    return result;
}

}  // namespace frostline
