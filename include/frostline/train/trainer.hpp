// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
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
#include "frostline/features/drop_plan.hpp"
#include "frostline/train/costs.hpp"
#include "frostline/train/decision_history.hpp"
#include "frostline/train/divergence.hpp"
#include "frostline/train/drop_planner.hpp"
#include "frostline/train/evaluation.hpp"
#include "frostline/train/flop_counter.hpp"
#include "frostline/train/frost_line.hpp"
#include "frostline/train/probe.hpp"
#include "frostline/train/rates_left.hpp"
#include "frostline/train/run_identity.hpp"
#include "frostline/train/run_progress.hpp"
#include "frostline/train/thawed_blocks.hpp"
#include "frostline/train/training_options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <tuple>
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
          loss_(std::move(loss)),
          optimiser_(std::move(optimiser)),
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
    /// @param test, validation  data sets that are evaluated after each epoch: a dataset, an optional one, or
    /// no_data
    /// @param stop  ends the run after the step at which it is requested
    /// @param saved  `checkpoints`, which are written on the way, and from which the run may go on: to the
    /// weights and figures that it would have had without a break, to the bit. Reading one and filling the
    /// store again count neither as FLOPs nor as seconds
    /// @throws argument_error for options out of range, shape_error when data and network do not fit,
    ///         divergence_error when a gradient, or what is left at the end, is NaN or infinite,
    ///         data_error when a checkpoint cannot be written, or does not belong to this run
    template <dataset Train, class Test = no_data, class Validation = no_data,
              class Checkpoints = no_checkpoints>
    run_finished run(const training_options& options, const Train& train, const Test& test = {},
                     const Validation& validation = {}, const std::stop_token& stop = {},
                     Checkpoints&& saved = {}) {
        check(options, network_, train);
        if_any(test, [&](const auto& data) { check_fit(network_, data, "test"); });
        if_any(validation, [&](const auto& data) { check_fit(network_, data, "validation"); });
        const auto ids = sample_ids(train);
        const std::size_t steps_per_epoch = (train.size() + options.batch_size - 1) / options.batch_size;
        const std::size_t steps = options.epochs * steps_per_epoch;
        start(options, train, ids, steps);
        rates_left left(options.schedule, steps, steps_per_epoch);
        const double peak_rate =
            sets_learning_rates<Policy> ? highest_rate(options.schedule, steps, steps_per_epoch) : 0;

        const auto identity = identity_of<T>(options, train);
        const auto state = [&](auto& visit) { for_each_state(train, visit); };
        saved.load(network_, optimiser_, identity, state);
        const std::size_t first = now_.epoch * steps_per_epoch;
        require<data_error>(now_.step >= first && now_.step <= std::min(first + steps_per_epoch, steps),
                            "the checkpoint stands in epoch ", now_.epoch, " at step ", now_.step, " of ",
                            steps);
        const auto save = [&] { saved.save(now_.step, network_, optimiser_, identity, state); };

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
                         .step = now_.step});
        if (options.costs && now_.step == 0) tell(planner_.basis(0, 0));
        if (now_.step == 0) freeze_at_start(options, train);

        batch_loader<T, Train> loader(train);
        while (now_.epoch < options.epochs && !summary.stopped) {
            const std::size_t epoch = now_.epoch, first_step = epoch * steps_per_epoch;
            if (now_.step == first_step) start_epoch();
            auto& report = now_.report;
            stopwatch training(now_.seconds);
            const auto order = batch_order(ids, options.seed, epoch, options.shards);
            const auto decide = [&](std::size_t epochs_finished) {
                const double full = static_cast<double>(flops_.full_of_sample()) *
                                    static_cast<double>(train.size() * options.epochs);
                const std::uint64_t flops_spent =
                    summary.forward_flops + summary.backward_flops + flops_.forward() + flops_.backward();
                const run_spending spent{.flops = static_cast<double>(flops_spent),
                                         .full_flops = full,
                                         .seconds = summary.seconds + training.seconds()};
                const double loss = std::exchange(now_.since_decision, {}).mean();
                auto decision = decisions_.take(epochs_finished, now_.step, loss, left.from(now_.step),
                                                line_.frozen(), line_.behind(), spent);
                wanted_ = decision.wanted;
                return decision;
            };
            const batches of_epoch(order, options.batch_size, options.shards);
            const auto view = static_cast<std::uint32_t>(epoch);
            std::size_t number = now_.step - first_step;
            // What is stored needs no images but those that the store misses.
            const bool ahead = line_.dropped() == 0 || (planner_.fills(views_of(train)) && !line_.advances());
            if (ahead) loader.start(of_epoch, view, number);
            while (number < of_epoch.size() && !summary.stopped) {
                const auto batch = of_epoch[number];
                const std::size_t step = now_.step;
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
                const double batch_loss = now_.last_loss = this->step(features, options, rate, now_.correct);
                flops_.add_step(batch.size(), line_.take_filled_samples(), line_.frozen(), line_.dropped(),
                                line_.behind());
                line_.take_advanced_samples([&](std::size_t samples, std::size_t from) {
                    flops_.add_advance(samples, from, line_.dropped());
                });
                now_.losses.add(batch_loss, batch.size());
                now_.since_decision.add(batch_loss, batch.size());
                tell(step_finished{.epoch = epoch,
                                   .step = step,
                                   .samples = batch.size(),
                                   .loss = batch_loss,
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
                const bool stops = stop.stop_requested();
                if (stops || saved.due_after_step(now_.step)) {
                    now_.seconds = training.seconds();
                    const stopwatch saving;
                    save();
                    training.leave_out(saving.seconds());
                }
                summary.stopped = stops;
            }
            if (summary.stopped || epoch + 1 == options.epochs)
                require_finite(network_, now_.step - 1, now_.last_loss, report.learning_rate);
            report.train_loss = now_.losses.mean();
            report.train_accuracy =
                static_cast<double>(now_.correct) / static_cast<double>(now_.losses.samples);
            report.store_bytes = store_.bytes();
            report.forward_flops = flops_.forward();
            report.backward_flops = flops_.backward();

            std::optional<decision_taken> decision;
            if (!summary.stopped && (options.decide_every == 0 || now_.step % options.decide_every == 0))
                decision = decide(epoch + 1);
            report.seconds = training.seconds();

            const stopwatch evaluating;
            report.validation_accuracy = evaluate(validation);
            report.test_accuracy = evaluate(test);
            report.evaluation_seconds = evaluating.seconds();

            if (decision) report.scores = decision->scores;
            finish_epoch();
            tell(report);
            if (decision) tell(*decision);
            tell_failure(epoch, now_.step);
            if (summary.stopped) break;
            if (now_.epoch < options.epochs) {
                const stopwatch planning;
                const auto planned = plan(now_.epoch, now_.step, options, train);
                summary.seconds += planning.seconds();
                move_line(now_.epoch, now_.step, planned);
            }
            if (now_.epoch == options.epochs || saved.due_after_epoch(now_.epoch)) save();
        }
        tell(summary);
        return summary;
    }

private:
    // Everything as it is before the first step.
    template <class Train>
    void start(const training_options& options, const Train& train, std::span<const std::uint64_t> ids,
               std::size_t steps) {
        optimiser_.attach(network_.slices());
        line_.move(0, 0);
        planner_.start(options.costs);
        failure_told_ = false;
        rates_.assign(network_.blocks(), {});
        wanted_ = {};
        now_ = {};
        flops_.reset();
        const stopwatch scoring;
        decisions_.start(options.epochs, steps, probe_images<T>(train, ids, decisions_.probe_samples()));
        now_.summary.seconds = scoring.seconds();
    }

    // What a policy freezes before the first step is dropped in the first epoch already.
    template <class Train>
    void freeze_at_start(const training_options& options, const Train& train) {
        wanted_ = decisions_.at_start();
        if (wanted_ == frozen_blocks()) return;
        const stopwatch planning;
        const auto planned = plan(0, 0, options, train);
        now_.summary.seconds += planning.seconds();
        move_line(0, 0, planned);
    }

    void start_epoch() {
        now_.report = {.epoch = now_.epoch + 1,
                       .frozen = line_.frozen(),
                       .dropped = line_.dropped(),
                       .frozen_behind = numbers_of(line_.behind())};
        now_.losses = {};
        now_.correct = 0;
        now_.seconds = 0;
        flops_.reset();
    }

    void finish_epoch() {
        auto& summary = now_.summary;
        const auto& report = now_.report;
        summary.epochs = ++now_.epoch;
        summary.test_accuracy = report.test_accuracy;
        summary.seconds += report.seconds;
        summary.evaluation_seconds += report.evaluation_seconds;
        summary.forward_flops += report.forward_flops;
        summary.backward_flops += report.backward_flops;
        summary.forward_flops_full += flops_.forward_full();
        summary.backward_flops_full += flops_.backward_full();
        summary.scoring_flops = decisions_.scoring_flops();
        summary.frozen = line_.frozen();
        summary.dropped = line_.dropped();
    }

    // For checkpoints, but for the weights and the optimiser's state.
    template <class Train, class Visitor>
    void for_each_state(const Train& train, Visitor& visit) {
        now_.for_each_state(within("run", visit));
        flops_.for_each_state(within("flops", visit));
        wanted_.for_each_state(within("wanted", visit));
        visit("store_failed", failure_told_);
        decisions_.for_each_state(within("decisions", visit));
        planner_.for_each_state(within("plan", visit));
        line_.for_each_state(train, within("line", visit));
        std::size_t number = 0;
        const auto visit_observer = [&](auto& observer) {
            const auto visit_here = within(sentence("observer.", number++), visit);
            if constexpr (requires { observer.for_each_state(visit_here); })
                observer.for_each_state(visit_here);
        };
        std::apply([&](auto&... each) { (visit_observer(each), ...); }, observers_);
    }

    template <class Event>
    void tell(const Event& event) {
        std::apply([&](auto&... each) { (notify(each, event), ...); }, observers_);
    }

    // One batch: forward, loss, backward, update. Returns the mean loss.
    double step(const tensor<T>& features, const training_options& options, const rate_view& rate,
                std::size_t& correct) {
        const std::size_t step = rate.step;
        const std::size_t frozen = line_.frozen(), blocks = network_.blocks();
        const tensor<T>& logits = network_.forward(
            features, frozen, blocks,
            {.phase = phase::training, .seed = options.seed, .step = step, .samples = ids_}, line_.behind());
        const double batch_loss = loss_(logits, std::span<const std::int32_t>(targets_), dlogits_);
        correct += count_correct(logits, targets_);
        network_.backward(features, dlogits_, frozen, blocks, gradients::parameters, line_.behind());
        decisions_.before_update(frozen);

        std::fill(rates_.begin(), rates_.end(), block_rate{.rate = rate.rate, .decay = options.weight_decay});
        for (std::size_t block = 0; block < line_.behind().size(); ++block)
            rates_[block].learns = !line_.behind()[block];
        decisions_.set_rates(rate, rates_);
        const auto diverged =
            optimiser_.step(network_.arenas().values(), network_.arenas().gradients(), frozen, rates_);
        if (diverged)
            fail_as_diverged(sentence("the gradient of block ", *diverged), step, batch_loss, rate.rate);
        decisions_.count_step(rate.rate, rates_);
        return batch_loss;
    }

    // Calls use(data) where there is data.
    template <class Data, class Use>
    static void if_any(const Data& data, const Use& use) {
        if constexpr (dataset<Data>) {
            use(data);
        } else if constexpr (!std::is_same_v<Data, no_data>) {
            if (data) use(*data);
        }
    }

    template <class Data>
    std::optional<double> evaluate(const Data& data) {
        std::optional<double> accuracy;
        if_any(data, [&](const auto& present) { accuracy = evaluate_(network_, present); });
        return accuracy;
    }

    template <class Train>
    drop_decision plan(std::size_t epoch, std::size_t step, const training_options& options,
                       const Train& train) {
        const bool knew = planner_.has_costs();
        auto decision = planner_.plan(train, options.epochs - epoch, decisions_.boundary(wanted_.leading()),
                                      options.batch_size);
        if (!knew && planner_.has_costs()) tell(planner_.basis(epoch, step));
        return decision;
    }

    void tell_failure(std::size_t epoch, std::size_t step) {
        if (failure_told_) return;
        const std::string reason = problem_of(store_);
        if (reason.empty()) return;
        failure_told_ = true;
        tell(store_failed{epoch, step, reason});
    }

    // Makes what the policy wants true, as far as the rules and the plan allow.
    void move_line(std::size_t epoch, std::size_t step, const drop_decision& plan) {
        const std::size_t frozen_before = line_.frozen(), dropped_before = line_.dropped();
        const std::size_t frozen = decisions_.boundary(wanted_.leading());
        auto behind = decisions_.frozen_behind(wanted_);
        if (frozen == frozen_before && plan.dropped == dropped_before && behind == line_.behind()) return;
        reset_thawed(optimiser_, network_.blocks(), {frozen_before, line_.behind()}, {frozen, behind});
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
            .frozen_behind = numbers_of(line_.behind()),
            .options = plan.options});
    }

    std::string others_wanted() const {
        const std::size_t count = wanted_.behind().size();
        return count == 0 ? std::string() : sentence(" and ", count, " behind them");
    }

    Network& network_;
    Loss loss_;
    Optimiser optimiser_;
    Store store_;
    frost_line<Network, Store> line_;
    drop_planner<Network, Store> planner_;
    bool failure_told_ = false;
    std::vector<block_costs> costs_;  // of every block
    decision_history<Network, Scorer, Policy> decisions_;
    std::tuple<Observers&...> observers_;
    evaluator<T> evaluate_;

    run_progress now_;
    flop_counter flops_;    // of the epoch under way
    frozen_blocks wanted_;  // the policy's last answer
    std::vector<block_rate> rates_;
    std::vector<std::int32_t> targets_;
    std::vector<std::uint64_t> ids_;
    tensor<T> dlogits_;
};

}  // namespace frostline
