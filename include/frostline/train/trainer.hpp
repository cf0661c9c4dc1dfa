// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/concepts/communicator.hpp"
#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/feature_store.hpp"
#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/loss.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/optimiser.hpp"
#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/core/within.hpp"
#include "frostline/data/batch_loader.hpp"
#include "frostline/distributed/single_process.hpp"
#include "frostline/features/drop_plan.hpp"
#include "frostline/train/costs.hpp"
#include "frostline/train/data_parallel.hpp"
#include "frostline/train/decision_history.hpp"
#include "frostline/train/divergence.hpp"
#include "frostline/train/drop_planner.hpp"
#include "frostline/train/evaluation.hpp"
#include "frostline/train/flop_counter.hpp"
#include "frostline/train/frost_line.hpp"
#include "frostline/train/observer_group.hpp"
#include "frostline/train/probe.hpp"
#include "frostline/train/rates_left.hpp"
#include "frostline/train/run_identity.hpp"
#include "frostline/train/run_progress.hpp"
#include "frostline/train/thawed_blocks.hpp"
#include "frostline/train/training_options.hpp"
#include "frostline/train/training_step.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Trains a network, and freezes and drops its blocks as they converge.
///
/// All of its parts are chosen at compile time; `any_scorer`, `any_policy` and `any_feature_store` move a
/// choice to run time. The trainer, not the policy, keeps the rules: the head never freezes, dropped <=
/// frozen, what is frozen stays bit for bit as it is, and momentum starts at zero where a block thaws.
template <class Network, class Loss, class Optimiser, class Scorer, class Policy, class Store,
          class... Observers>
class trainer {
    using T = typename Network::value_type;
    static_assert(loss<Loss, T>,
                  "frostline: the trainer's loss must be callable with (outputs, targets, "
                  "gradient), returning a double");
    static_assert(optimiser<Optimiser, T> || explain_optimiser<Optimiser, T>());
    static_assert(scorer<Scorer, T> || explain_scorer<Scorer, T>());
    static_assert(freezing_policy<Policy> || explain_freezing_policy<Policy>());
    static_assert(feature_store<Store, T> || explain_feature_store<Store, T>());
    static_assert(((observer<Observers> || explain_observer<Observers>()) && ...));

public:
    /// The network and the observers are used in place and have to outlive the trainer.
    trainer(Network& network, Loss loss, Optimiser optimiser, Scorer scorer, Policy policy, Store store,
            Observers&... observers)
        : network_(network),
          step_(network_, std::move(loss), std::move(optimiser)),
          store_(std::move(store)),
          line_(network_, store_),
          planner_(network_, store_),
          costs_(costs_of_blocks(network_)),
          decisions_(network_, std::move(scorer), std::move(policy)),
          observers_(observers...),
          flops_(network_) {}
    trainer(const trainer&) = delete;
    trainer& operator=(const trainer&) = delete;

    /// What a scorer with the reference `probe_reference::snapshot()` compares with: a network of the same
    /// architecture, used in place at the start of each run, so that it has to live until then.
    void compare_with(Network& snapshot) { decisions_.compare_with(snapshot); }

    /// Trains from the network's present weights, or goes on from a checkpoint.
    /// @param test, validation  data sets that are evaluated after epochs: a dataset, an optional one, or
    /// no_data
    /// @param stop  ends the run after the step at which it is requested
    /// @param saved  `checkpoints`, which are written on the way, and from which the run may go on: to the
    /// weights and figures that it would have had without a break, to the bit. Reading one and filling the
    /// store again count neither as FLOPs nor as seconds
    /// @param processes  a communicator: with whom this process shares every batch. All of them make the same
    /// call with the same options; the first one's weights, observers and checkpoints count
    /// @throws argument_error for options out of range, shape_error when data and network do not fit,
    ///         divergence_error when a gradient, or what is left at the end, is NaN or infinite,
    ///         data_error when a checkpoint cannot be written, or does not belong to this run,
    ///         process_error when weights or decisions of the processes differ
    template <dataset Train, class Test = no_data, class Validation = no_data,
              class Checkpoints = no_checkpoints, class Communicator = single_process>
    run_finished run(const training_options& options, const Train& train, const Test& test = {},
                     const Validation& validation = {}, const std::stop_token& stop = {},
                     Checkpoints&& saved = {}, Communicator&& processes = {}) {
        using group = std::remove_reference_t<Communicator>;
        static_assert(communicator<group> || explain_communicator<group>());
        check(options, network_, train);
        data_parallel<Network, group> together(network_, processes, options, train.size());
        observers_.listen(together.first());
        const std::size_t tested = size_if_any(network_, test, "test"),
                          validated = size_if_any(network_, validation, "validation");
        const auto identity = identity_of<T>(options, train);
        together.require_same_run(text_of(identity), options, tested, validated);
        const auto ids = sample_ids(train);
        const std::size_t steps_per_epoch = (train.size() + options.batch_size - 1) / options.batch_size;
        const std::size_t steps = options.epochs * steps_per_epoch;
        together.spread_weights();
        start(options, train, ids, steps);
        rates_left left(options.schedule, steps, steps_per_epoch);
        const double peak_rate =
            sets_learning_rates<Policy> ? highest_rate(options.schedule, steps, steps_per_epoch) : 0;

        const auto mine = together.alone() ? std::vector<bool>() : together.mine(ids, options);
        const auto state = [&](auto& visit) { for_each_state(train, visit, together, mine); };
        saved.share(processes);
        saved.load(network_, step_.optimiser(), identity, state);
        const std::size_t first = now_.epoch * steps_per_epoch;
        require<data_error>(now_.step >= first && now_.step <= std::min(first + steps_per_epoch, steps),
                            "the checkpoint stands in epoch ", now_.epoch, " at step ", now_.step, " of ",
                            steps);
        const bool saves = together.of_first(saved.wanted());
        const auto save = [&] {
            if (!saves) return;
            auto nothing = [](std::string_view, auto&&) {};
            if (together.first())
                saved.save(now_.step, network_, step_.optimiser(), identity, state);
            else
                state(nothing);  // what the first one has to know of the others
        };

        auto& summary = now_.summary;
        tell(run_started{.epochs = options.epochs,
                         .steps_per_epoch = steps_per_epoch,
                         .batch_size = options.batch_size,
                         .training_samples = train.size(),
                         .blocks = network_.blocks(),
                         .parameters = network_.parameters(),
                         .seed = options.seed,
                         .threads = threads(),
                         .costs = costs_,
                         .views = views_of(train),
                         .step = now_.step,
                         .processes = together.size()});
        if (options.costs && now_.step == 0) tell(planner_.basis(0, 0));
        if (now_.step == 0) freeze_at_start(options, train, together);

        batch_loader<T, Train> loader(train);
        while (now_.epoch < options.epochs && !summary.stopped) {
            const std::size_t epoch = now_.epoch, first_step = epoch * steps_per_epoch;
            if (now_.step == first_step) {
                now_.start_epoch(line_.frozen(), line_.dropped(), line_.numbers_behind());
                flops_.reset();
            }
            auto& report = now_.report;
            stopwatch training(now_.seconds);
            const auto order = together.share(batch_order(ids, options.seed, epoch, options.shards));
            const auto decide = [&](std::size_t epochs_finished) {
                const double full = static_cast<double>(flops_.full_of_sample()) *
                                    static_cast<double>(train.size() * options.epochs);
                const std::uint64_t flops_spent =
                    summary.forward_flops + summary.backward_flops + flops_.forward() + flops_.backward();
                const run_spending spent{.flops = static_cast<double>(flops_spent),
                                         .full_flops = full,
                                         .seconds =
                                             together.of_first(summary.seconds + training.seconds())};
                const double loss = std::exchange(now_.since_decision, {}).mean();
                auto decision = decisions_.take(epochs_finished, now_.step, loss, left.from(now_.step),
                                                line_.frozen(), line_.behind(), spent);
                together.require_same_decision(decision);
                wanted_ = decision.wanted;
                return decision;
            };
            const batches of_epoch(order, options.batch_size / together.size(),
                                   options.shards / together.size());
            const auto view = static_cast<std::uint32_t>(epoch);
            std::size_t number = now_.step - first_step;
            // What is stored needs no images but those that the store misses.
            const bool ahead = line_.dropped() == 0 || (planner_.fills(views_of(train)) && !line_.advances());
            if (ahead) loader.start(of_epoch, view, number);
            while (number < of_epoch.size() && !summary.stopped) {
                const auto batch = of_epoch[number];
                const std::size_t step = now_.step, place = (step - first_step) * options.batch_size;
                const std::size_t samples = std::min(options.batch_size, train.size() - place);
                report.learning_rate =
                    options.schedule({.step = step, .steps = steps, .steps_per_epoch = steps_per_epoch});
                const tensor<T>& features = ahead ? line_.input(loader, targets_, ids_, view)
                                                  : line_.input(train, batch, targets_, ids_, view);
                if (++number < of_epoch.size()) line_.prefetch(train, of_epoch[number], view);
                const bool decides = options.decide_every == 0 ? (step + 1) % steps_per_epoch == 0
                                                               : (step + 1) % options.decide_every == 0;
                decisions_.before_step(decides);
                const rate_view rate{
                    .step = step, .steps = steps, .rate = report.learning_rate, .peak_rate = peak_rate};
                step_figures figures{.filled = line_.take_filled_samples()};
                line_.take_advanced_samples([&](std::size_t rows, std::size_t from) {
                    figures.advanced_flops += flops_.of_advance(rows, from, line_.dropped());
                });
                step_(features, targets_,
                      {.phase = phase::training,
                       .seed = options.seed,
                       .step = step,
                       .samples = ids_,
                       .reduction = together.reduction()},
                      samples, rate, options.weight_decay, line_, decisions_, together, figures);
                flops_.add_step(samples, figures.filled, line_.frozen(), line_.dropped(), line_.behind());
                flops_.add_forward(figures.advanced_flops);
                now_.last_loss = figures.loss;
                now_.correct += figures.correct;
                now_.losses.add(figures.loss, samples);
                now_.since_decision.add(figures.loss, samples);
                tell(step_finished{.epoch = epoch,
                                   .step = step,
                                   .samples = samples,
                                   .loss = figures.loss,
                                   .learning_rate = report.learning_rate,
                                   .frozen = line_.frozen(),
                                   .dropped = line_.dropped()});
                ++now_.step;
                if (decides && now_.step % steps_per_epoch != 0) {
                    const auto decision = decide(epoch);
                    report.scores = decision.scores;
                    tell(decision);
                    // What the store holds is moved between epochs only, unless it thaws.
                    move_line(
                        epoch, now_.step,
                        {.dropped =
                             line_.dropped() <= decisions_.boundary(wanted_.leading()) ? line_.dropped() : 0,
                         .tiers = planner_.tiers_used(),
                         .reason = "within an epoch nothing new is dropped"});
                }
                const auto [stops, due] = together.template any<2>(
                    {stop.stop_requested(), together.first() && saved.due_after_step(now_.step)});
                if (stops || due) {
                    now_.seconds = training.seconds();
                    const stopwatch saving;
                    save();
                    training.leave_out(saving.seconds());
                }
                summary.stopped = stops;
            }
            together.require_same_weights(now_.step);
            const bool last = summary.stopped || epoch + 1 == options.epochs;
            if (last)
                require_finite(network_, now_.step - 1, now_.last_loss, report.learning_rate);
            report.train_loss = now_.losses.mean();
            report.train_accuracy =
                static_cast<double>(now_.correct) / static_cast<double>(now_.losses.samples);
            report.store_bytes =
                static_cast<std::size_t>(together.sum(static_cast<double>(store_.bytes())));
            report.forward_flops = flops_.forward();
            report.backward_flops = flops_.backward();

            std::optional<decision_taken> decision;
            if (!summary.stopped && (options.decide_every == 0 || now_.step % options.decide_every == 0))
                decision = decide(epoch + 1);
            report.seconds = training.seconds();

            const stopwatch evaluating;
            if (last || (epoch + 1) % options.evaluate_every == 0) {
                report.validation_accuracy = evaluate_.accuracy(network_, validation, together);
                report.test_accuracy = evaluate_.accuracy(network_, test, together);
            }
            report.evaluation_seconds = evaluating.seconds();

            if (decision) report.scores = decision->scores;
            now_.finish_epoch(flops_, decisions_.scoring_flops(), line_.frozen(), line_.dropped());
            tell(report);
            if (decision) tell(*decision);
            tell_failure(epoch, now_.step, together);
            if (summary.stopped) break;
            if (now_.epoch < options.epochs) {
                const stopwatch planning;
                const auto planned = plan(now_.epoch, now_.step, options, train, together);
                summary.seconds += planning.seconds();
                move_line(now_.epoch, now_.step, planned);
            }
            if (together.of_first(now_.epoch == options.epochs || saved.due_after_epoch(now_.epoch))) save();
        }
        tell(summary);
        return summary;
    }

private:
    // Everything as it is before the first step.
    template <class Train>
    void start(const training_options& options, const Train& train, std::span<const std::uint64_t> ids,
               std::size_t steps) {
        step_.start();
        line_.move(0, 0);
        planner_.start(options.costs);
        failure_told_ = false;
        wanted_ = {};
        now_ = {};
        flops_.reset();
        const stopwatch scoring;
        decisions_.start(options.epochs, steps, probe_images<T>(train, ids, decisions_.probe_samples()));
        now_.summary.seconds = scoring.seconds();
    }

    // What a policy freezes before the first step is dropped in the first epoch already.
    template <class Train, class Together>
    void freeze_at_start(const training_options& options, const Train& train, Together& together) {
        wanted_ = decisions_.at_start();
        if (wanted_ == frozen_blocks()) return;
        const stopwatch planning;
        const auto planned = plan(0, 0, options, train, together);
        now_.summary.seconds += planning.seconds();
        move_line(0, 0, planned);
    }

    // For checkpoints, but for the weights and the optimiser's state.
    template <class Train, class Visitor, class Together>
    void for_each_state(const Train& train, Visitor& visit, Together& together,
                        const std::vector<bool>& mine) {
        now_.for_each_state(within("run", visit));
        flops_.for_each_state(within("flops", visit));
        wanted_.for_each_state(within("wanted", visit));
        visit("store_failed", failure_told_);
        decisions_.for_each_state(within("decisions", visit));
        planner_.for_each_state(within("plan", visit));
        line_.for_each_state(train, within("line", visit), together, mine);
        observers_.for_each_state(visit);
    }

    template <class Event>
    void tell(const Event& event) {
        observers_.tell(event);
    }

    // Costs are measured by the first process, which plans for all.
    template <class Train, class Together>
    drop_decision plan(std::size_t epoch, std::size_t step, const training_options& options,
                       const Train& train, Together& together) {
        drop_decision decision;
        if (together.first()) {
            const bool knew = planner_.has_costs();
            decision =
                planner_.plan(train, options.epochs - epoch, decisions_.boundary(wanted_.leading()),
                              options.batch_size / together.size(),
                              (train.size() + together.size() - 1) / together.size());
            if (!knew && planner_.has_costs()) tell(planner_.basis(epoch, step));
        } else {
            planner_.pass_epoch();
        }
        decision.dropped = together.of_first(decision.dropped);
        decision.tiers = together.of_first(decision.tiers);
        return decision;
    }

    template <class Together>
    void tell_failure(std::size_t epoch, std::size_t step, Together& together) {
        std::string reason = problem_of(store_);
        const bool failed = together.template any<1>({!reason.empty()})[0];
        if (!failed || std::exchange(failure_told_, true)) return;
        if (reason.empty())
            reason = "the feature store of another process lost rows, which are computed again";
        tell(store_failed{epoch, step, reason});
    }

    // Makes what the policy wants true, as far as the rules and the plan allow.
    void move_line(std::size_t epoch, std::size_t step, const drop_decision& plan) {
        const std::size_t frozen_before = line_.frozen(), dropped_before = line_.dropped();
        const std::size_t frozen = decisions_.boundary(wanted_.leading());
        auto behind = decisions_.frozen_behind(wanted_);
        if (frozen == frozen_before && plan.dropped == dropped_before && behind == line_.behind()) return;
        reset_thawed(step_.optimiser(), network_.blocks(), {frozen_before, line_.behind()}, {frozen, behind});
        line_.move(frozen, plan.dropped, std::move(behind));
        planner_.moved(plan);
        tell(frost_line_moved{
            .epoch = epoch,
            .step = step,
            .frozen_before = frozen_before,
            .frozen = frozen,
            .dropped_before = dropped_before,
            .dropped = plan.dropped,
            .reason = sentence("the policy wants ", wanted_.leading(), " learning blocks frozen",
                               others_wanted(), "; ", plan.reason),
            .frozen_behind = line_.numbers_behind(),
            .options = plan.options});
    }

    std::string others_wanted() const {
        const std::size_t count = wanted_.behind().size();
        return count == 0 ? std::string() : sentence(" and ", count, " behind them");
    }

    Network& network_;
    training_step<Network, Loss, Optimiser> step_;
    Store store_;
    frost_line<Network, Store> line_;
    drop_planner<Network, Store> planner_;
    bool failure_told_ = false;
    std::vector<block_costs> costs_;  // of every block
    decision_history<Network, Scorer, Policy> decisions_;
    observer_group<Observers...> observers_;
    evaluator<T> evaluate_;

    run_progress now_;
    flop_counter flops_;    // of the epoch under way
    frozen_blocks wanted_;  // the policy's last answer
    std::vector<std::int32_t> targets_;
    std::vector<std::uint64_t> ids_;
};

}  // namespace frostline
