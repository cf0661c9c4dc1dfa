// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/optimiser.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/core/within.hpp"
#include "frostline/data/batch_loader.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/features/drop_plan.hpp"
#include "frostline/train/costs.hpp"
#include "frostline/train/data_parallel.hpp"
#include "frostline/train/divergence.hpp"
#include "frostline/train/evaluation.hpp"
#include "frostline/train/flop_counter.hpp"
#include "frostline/train/probe.hpp"
#include "frostline/train/rates_left.hpp"
#include "frostline/train/run_identity.hpp"
#include "frostline/train/run_progress.hpp"
#include "frostline/train/thawed_blocks.hpp"
#include "frostline/train/trainer_parts.hpp"
#include "frostline/train/training_options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// One run of a trainer, from the first step, or that of a checkpoint, to the last.
template <class Parts, class Train, class Test, class Validation, class Checkpoints, class Communicator>
class training_run {
    using T = typename Parts::value_type;

public:
    /// As of trainer::run; the options have been checked. Everything has to outlive the run.
    training_run(Parts& parts, const training_options& options, const Train& train, const Test& test,
                 const Validation& validation, Checkpoints& saved, Communicator& processes)
        : parts_(parts),
          options_(options),
          train_(train),
          test_(test),
          validation_(validation),
          saved_(saved),
          together_(parts.network, processes, options, train.size()),
          identity_(identity_of<T>(options, train)),
          ids_of_train_(sample_ids(train)),
          steps_per_epoch_((train.size() + options.batch_size - 1) / options.batch_size),
          steps_(options.epochs * steps_per_epoch_),
          left_(options.schedule, steps_, steps_per_epoch_),
          loader_(train),
          flops_(parts.network) {
        parts.observers.listen(together_.first());
        together_.require_same_run(text_of(identity_), options, size_if_any(parts.network, test, "test"),
                                   size_if_any(parts.network, validation, "validation"));
        together_.spread_weights();
        start();
        load(processes);
    }
    training_run(const training_run&) = delete;
    training_run& operator=(const training_run&) = delete;

    /// To be called once.
    run_finished operator()(const std::stop_token& stop) {
        tell_start();
        if (options_.costs && now_.step == 0) tell(parts_.planner.basis(0, 0));
        if (now_.step == 0) freeze_at_start();
        while (now_.epoch < options_.epochs && !stopped()) {
            train_epoch(stop);
            finish_epoch();
            if (!stopped()) go_on(stop);
        }
        tell(now_.summary);
        return now_.summary;
    }

private:
    // Everything as it is before the first step.
    void start() {
        parts_.step.start();
        parts_.line.move(0, 0);
        parts_.planner.start(options_.costs);
        if (sets_learning_rates<typename Parts::policy_type>)
            peak_rate_ = highest_rate(options_.schedule, steps_, steps_per_epoch_);
        const stopwatch scoring;
        parts_.decisions.start(options_.epochs, steps_,
                               probe_images<T>(train_, ids_of_train_, parts_.decisions.probe_samples()));
        now_.summary.seconds = scoring.seconds();
    }

    void load(Communicator& processes) {
        if (!together_.alone()) mine_ = together_.mine(ids_of_train_, options_);
        saved_.share(processes);
        saved_.load(parts_.network, parts_.step.optimiser(), identity_, state());
        const std::size_t first = first_step();
        require<data_error>(now_.step >= first && now_.step <= std::min(first + steps_per_epoch_, steps_),
                            "the checkpoint stands in epoch ", now_.epoch, " at step ", now_.step, " of ",
                            steps_);
        saves_ = together_.of_first(saved_.wanted());
    }

    void save() {
        if (!saves_) return;
        auto nothing = [](std::string_view, auto&&) {};
        if (together_.first())
            saved_.save(now_.step, parts_.network, parts_.step.optimiser(), identity_, state());
        else
            for_each_state(nothing);  // what the first one has to know of the others
    }

    auto state() {
        return [this](auto& visit) { for_each_state(visit); };
    }

    // For checkpoints, but for the weights and the optimiser's state.
    template <class Visitor>
    void for_each_state(Visitor& visit) {
        now_.for_each_state(within("run", visit));
        flops_.for_each_state(within("flops", visit));
        wanted_.for_each_state(within("wanted", visit));
        visit("store_failed", failure_told_);
        parts_.decisions.for_each_state(within("decisions", visit));
        parts_.planner.for_each_state(within("plan", visit));
        parts_.line.for_each_state(train_, within("line", visit), together_, mine_);
        parts_.observers.for_each_state(visit);
    }

    void tell_start() {
        tell(run_started{.epochs = options_.epochs,
                         .steps_per_epoch = steps_per_epoch_,
                         .batch_size = options_.batch_size,
                         .training_samples = train_.size(),
                         .blocks = parts_.network.blocks(),
                         .parameters = parts_.network.parameters(),
                         .seed = options_.seed,
                         .threads = threads(),
                         .costs = costs_of_blocks(parts_.network),
                         .views = views_of(train_),
                         .step = now_.step,
                         .processes = together_.size()});
    }

    // What a policy freezes before the first step is dropped in the first epoch already.
    void freeze_at_start() {
        wanted_ = parts_.decisions.at_start();
        if (wanted_ != frozen_blocks()) plan_and_move();
    }

    void train_epoch(const std::stop_token& stop) {
        auto& line = parts_.line;
        if (now_.step == first_step()) {
            now_.start_epoch(line.frozen(), line.dropped(), line.numbers_behind());
            flops_.reset();
        }
        training_ = stopwatch(now_.seconds);
        const auto order =
            together_.share(batch_order(ids_of_train_, options_.seed, now_.epoch, options_.shards));
        const batches of_epoch(order, options_.batch_size / together_.size(),
                               options_.shards / together_.size());
        std::size_t number = now_.step - first_step();
        // What is stored needs no images but those that the store misses.
        loads_ahead_ = line.dropped() == 0 || (parts_.planner.fills(views_of(train_)) && !line.advances());
        if (loads_ahead_) loader_.start(of_epoch, view(), number);
        for (; number < of_epoch.size() && !stopped(); ++number) {
            take_step(of_epoch, number);
            if (decides_at(now_.step) && now_.step % steps_per_epoch_ != 0) decide_within_epoch();
            stop_or_save(stop);
        }
        together_.require_same_weights(now_.step);
    }

    void take_step(const batches& of_epoch, std::size_t number) {
        auto& line = parts_.line;
        const std::size_t step = now_.step;
        const std::size_t samples =
            std::min(options_.batch_size, train_.size() - number * options_.batch_size);
        const double learning_rate = now_.report.learning_rate =
            options_.schedule({.step = step, .steps = steps_, .steps_per_epoch = steps_per_epoch_});
        const tensor<T>& features = loads_ahead_
                                        ? line.input(loader_, targets_, ids_, view())
                                        : line.input(train_, of_epoch[number], targets_, ids_, view());
        if (number + 1 < of_epoch.size()) line.prefetch(train_, of_epoch[number + 1], view());
        parts_.decisions.before_step(decides_at(step + 1));
        step_figures figures{.filled = line.take_filled_samples()};
        line.take_advanced_samples([&](std::size_t rows, std::size_t from) {
            figures.advanced_flops += flops_.of_advance(rows, from, line.dropped());
        });
        parts_.step(features, targets_,
                    {.phase = phase::training,
                     .seed = options_.seed,
                     .step = step,
                     .samples = ids_,
                     .reduction = together_.reduction()},
                    samples, {.step = step, .steps = steps_, .rate = learning_rate, .peak_rate = peak_rate_},
                    options_.weight_decay, line, parts_.decisions, together_, figures);
        flops_.add_step(samples, figures.filled, line.frozen(), line.dropped(), line.behind());
        flops_.add_forward(figures.advanced_flops);
        now_.finish_step(figures.loss, figures.correct, samples);
        tell(step_finished{.epoch = now_.epoch,
                           .step = step,
                           .samples = samples,
                           .loss = figures.loss,
                           .learning_rate = learning_rate,
                           .frozen = line.frozen(),
                           .dropped = line.dropped()});
    }

    void stop_or_save(const std::stop_token& stop) {
        const auto [stops, due] = together_.template any<2>(
            {stop.stop_requested(), together_.first() && saved_.due_after_step(now_.step)});
        if (stops || due) {
            now_.seconds = training_.seconds();
            const stopwatch saving;
            save();
            training_.leave_out(saving.seconds());
        }
        now_.summary.stopped = stops;
    }

    // Whether a decision is taken after so many steps.
    bool decides_at(std::size_t steps) const {
        return steps % (options_.decide_every == 0 ? steps_per_epoch_ : options_.decide_every) == 0;
    }

    decision_taken decide(std::size_t epochs_finished) {
        const auto& spent = now_.summary;
        const double full_flops = static_cast<double>(flops_.full_of_sample()) *
                                  static_cast<double>(train_.size() * options_.epochs);
        // Not what dropping saves: weights would depend on the store then.
        const std::uint64_t flops =
            spent.forward_flops_full + spent.backward_flops + flops_.forward_full() + flops_.backward();
        const double seconds = together_.of_first(spent.seconds + training_.seconds());
        const double loss = std::exchange(now_.since_decision, {}).mean();
        auto decision = parts_.decisions.take(
            epochs_finished, now_.step, loss, left_.from(now_.step), parts_.line.frozen(),
            parts_.line.behind(),
            {.flops = static_cast<double>(flops), .full_flops = full_flops, .seconds = seconds});
        together_.require_same_decision(decision);
        wanted_ = decision.wanted;
        return decision;
    }

    // What the store holds is moved between epochs only, unless it thaws.
    void decide_within_epoch() {
        const auto decision = decide(now_.epoch);
        now_.report.scores = decision.scores;
        tell(decision);
        const std::size_t dropped = parts_.line.dropped();
        move_line({.dropped = dropped <= wanted_boundary() ? dropped : 0,
                   .tiers = parts_.planner.tiers_used(),
                   .reason = "within an epoch nothing new is dropped"});
    }

    void finish_epoch() {
        auto& report = now_.report;
        const std::size_t epoch = now_.epoch;
        const bool last = stopped() || epoch + 1 == options_.epochs;
        if (last) require_finite(parts_.network, now_.step - 1, now_.last_loss, report.learning_rate);
        report.train_loss = now_.losses.mean();
        report.train_accuracy = static_cast<double>(now_.correct) / static_cast<double>(now_.losses.samples);
        report.store_bytes =
            static_cast<std::size_t>(together_.sum(static_cast<double>(parts_.store.bytes())));
        report.forward_flops = flops_.forward();
        report.backward_flops = flops_.backward();

        std::optional<decision_taken> decision;
        if (!stopped() && decides_at(now_.step)) decision = decide(epoch + 1);
        report.seconds = training_.seconds();

        const stopwatch evaluating;
        if (last || (epoch + 1) % options_.evaluate_every == 0) {
            report.validation_accuracy = parts_.evaluate.accuracy(parts_.network, validation_, together_);
            report.test_accuracy = parts_.evaluate.accuracy(parts_.network, test_, together_);
        }
        report.evaluation_seconds = evaluating.seconds();

        if (decision) report.scores = decision->scores;
        now_.finish_epoch(flops_, parts_.decisions.scoring_flops(), parts_.line.frozen(),
                          parts_.line.dropped());
        tell(report);
        if (decision) tell(*decision);
        tell_failure(epoch);
    }

    // From an epoch that is finished to the next, or to the end.
    void go_on(const std::stop_token& stop) {
        if (now_.epoch < options_.epochs) {
            plan_and_move();
            now_.summary.stopped = together_.template any<1>({stop.stop_requested()})[0];
            if (stopped()) end_between_epochs();
        }
        const bool due = now_.epoch == options_.epochs || saved_.due_after_epoch(now_.epoch);
        if (together_.of_first(due) || stopped()) save();
    }

    // The epoch that is finished was the last, which it did not know.
    void end_between_epochs() {
        require_finite(parts_.network, now_.step - 1, now_.last_loss, now_.report.learning_rate);
        if (now_.epoch % options_.evaluate_every == 0) return;
        const stopwatch evaluating;
        now_.summary.test_accuracy = parts_.evaluate.accuracy(parts_.network, test_, together_);
        now_.summary.evaluation_seconds += evaluating.seconds();
    }

    void plan_and_move() {
        const stopwatch planning;
        const auto planned = plan();
        now_.summary.seconds += planning.seconds();
        move_line(planned);
    }

    // Costs are measured by the first process, which plans for all.
    drop_decision plan() {
        auto& planner = parts_.planner;
        drop_decision decision;
        if (together_.first()) {
            const bool knew = planner.has_costs();
            decision = planner.plan(train_, options_.epochs - now_.epoch, wanted_boundary(),
                                    options_.batch_size / together_.size(),
                                    (train_.size() + together_.size() - 1) / together_.size());
            if (!knew && planner.has_costs()) tell(planner.basis(now_.epoch, now_.step));
        } else {
            planner.pass_epoch();
        }
        decision.dropped = together_.of_first(decision.dropped);
        decision.tiers = together_.of_first(decision.tiers);
        return decision;
    }

    // Makes what the policy wants true, as far as the rules and the plan allow.
    void move_line(const drop_decision& plan) {
        auto& line = parts_.line;
        const std::size_t frozen_before = line.frozen(), dropped_before = line.dropped();
        const std::size_t frozen = wanted_boundary();
        auto behind = parts_.decisions.frozen_behind(wanted_);
        if (frozen == frozen_before && plan.dropped == dropped_before && behind == line.behind()) return;
        tell_failure(now_.epoch);  // which the store forgets where it is cleared
        reset_thawed(parts_.step.optimiser(), parts_.network.blocks(), {frozen_before, line.behind()},
                     {frozen, behind});
        line.move(frozen, plan.dropped, std::move(behind));
        parts_.planner.moved(plan);
        tell(frost_line_moved{
            .epoch = now_.epoch,
            .step = now_.step,
            .frozen_before = frozen_before,
            .frozen = frozen,
            .dropped_before = dropped_before,
            .dropped = plan.dropped,
            .reason = sentence("the policy wants ", wanted_.leading(), " learning blocks frozen",
                               others_wanted(), "; ", plan.reason),
            .frozen_behind = line.numbers_behind(),
            .options = plan.options});
    }

    std::string others_wanted() const {
        const std::size_t count = wanted_.behind().size();
        return count == 0 ? std::string() : sentence(" and ", count, " behind them");
    }

    // Of the network: up to where the policy wants it frozen.
    std::size_t wanted_boundary() const { return parts_.decisions.boundary(wanted_.leading()); }

    void tell_failure(std::size_t epoch) {
        std::string reason = problem_of(parts_.store);
        const bool failed = together_.template any<1>({!reason.empty()})[0];
        if (!failed || std::exchange(failure_told_, true)) return;
        if (reason.empty())
            reason = "the feature store of another process lost rows, which are computed again";
        tell(store_failed{epoch, now_.step, reason});
    }

    template <class Event>
    void tell(const Event& event) {
        parts_.observers.tell(event);
    }

    bool stopped() const { return now_.summary.stopped; }
    std::size_t first_step() const { return now_.epoch * steps_per_epoch_; }  // of the epoch under way
    std::uint32_t view() const { return static_cast<std::uint32_t>(now_.epoch); }

    Parts& parts_;
    const training_options& options_;
    const Train& train_;
    const Test& test_;
    const Validation& validation_;
    Checkpoints& saved_;
    data_parallel<typename Parts::network_type, Communicator> together_;
    const run_identity identity_;
    const std::vector<std::uint64_t> ids_of_train_;
    const std::size_t steps_per_epoch_;
    const std::size_t steps_;
    rates_left left_;
    double peak_rate_ = 0;    // for policies that set rates
    std::vector<bool> mine_;  // samples of this process, by index; empty: all
    bool saves_ = false;

    batch_loader<T, Train> loader_;
    bool loads_ahead_ = true;  // in the epoch under way
    stopwatch training_;       // of the epoch under way
    run_progress now_;
    flop_counter flops_;    // of the epoch under way
    frozen_blocks wanted_;  // the policy's last answer
    bool failure_told_ = false;
    std::vector<std::int32_t> targets_;
    std::vector<std::uint64_t> ids_;
};

}  // namespace frostline
