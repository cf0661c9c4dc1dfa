// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/feature_store.hpp"
#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/loss.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/optimiser.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/concepts/scorer.hpp"
#include "frostline/core/all_finite.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/data/batch_loader.hpp"
#include "frostline/features/drop_plan.hpp"
#include "frostline/optim/schedules.hpp"
#include "frostline/train/costs.hpp"
#include "frostline/train/decision_history.hpp"
#include "frostline/train/drop_planner.hpp"
#include "frostline/train/evaluation.hpp"
#include "frostline/train/flop_counter.hpp"
#include "frostline/train/frost_line.hpp"
#include "frostline/train/probe.hpp"
#include "frostline/train/rates_left.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

struct training_options {
    std::size_t epochs = 10;
    std::size_t batch_size = 128;
    any_schedule schedule = cosine{.rate = 0.05};
    double weight_decay = 5e-4;
    std::uint64_t seed = 0;  ///< of the batch order and of random layers, not of the network's weights
    std::size_t shards = 1;  ///< each batch takes an equal share from each of so many fixed parts of the data
    std::size_t decide_every = 0;  ///< steps from one decision to the next; 0: one decision after each epoch
    std::optional<plan_costs> costs{};  ///< what the plan reckons with; absent: measured at the first freeze
};

/// Stands for a data set that is not there; an empty std::optional of a data set does so at run time.
struct no_data {};

/// @throws shape_error when the network does not take the samples of `data` or has not its classes
template <class Network, dataset Data>
void check_fit(const Network& network, const Data& data, std::string_view name) {
    require<shape_error>(data.shape() == network.input_shape(), "the network takes samples of ",
                         network.input_shape(), ", but the ", name, " set has ", data.shape());
    require<shape_error>(data.classes() == network.output_shape().size(), "the network has ",
                         network.output_shape().size(), " outputs, but the ", name, " set has ",
                         data.classes(), " classes");
}

/// Refuses what training would refuse, before anything is computed.
/// @throws argument_error for options out of range, shape_error when data and network do not fit
template <class Network, dataset Train>
void check(const training_options& options, const Network& network, const Train& train) {
    constexpr std::size_t most_epochs = 1'000'000'000;
    require<argument_error>(options.epochs >= 1 && options.epochs <= most_epochs,
                            "the number of epochs must be from 1 to ", most_epochs, ", found ",
                            options.epochs);
    require<argument_error>(options.batch_size >= 1 && options.batch_size <= train.size(),
                            "the batch size is ", options.batch_size, ", expected at least 1 and at most ",
                            train.size(), ", the number of training samples");
    require<argument_error>(options.shards >= 1, "the number of shards must be at least 1, found 0");
    require<argument_error>(options.batch_size % options.shards == 0, "the batch size is ",
                            options.batch_size, ", expected a multiple of ", options.shards,
                            ", the number of shards");
    require<argument_error>(std::isfinite(options.weight_decay) && options.weight_decay >= 0,
                            "the weight decay must be finite and not negative, found ", options.weight_decay);
    check_fit(network, train, "training");
}

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
          observers_(observers...) {}
    trainer(const trainer&) = delete;
    trainer& operator=(const trainer&) = delete;

    /// What a scorer with the reference `probe_reference::snapshot()` compares with: a network of the same
    /// architecture, used in place at the start of each run, so that it has to live until then.
    void compare_with(Network& snapshot) { decisions_.compare_with(snapshot); }

    /// Trains from the network's present weights.
    /// @param test, validation  data sets that are evaluated after each epoch: a dataset, an optional one, or
    /// no_data
    /// @param stop  ends the run after the step at which it is requested
    /// @throws argument_error for options out of range, shape_error when data and network do not fit,
    ///         divergence_error when a gradient, or what is left at the end, is NaN or infinite
    template <dataset Train, class Test = no_data, class Validation = no_data>
    run_finished run(const training_options& options, const Train& train, const Test& test = {},
                     const Validation& validation = {}, const std::stop_token& stop = {}) {
        check(options, network_, train);
        if_any(test, [&](const auto& data) { check_fit(network_, data, "test"); });
        if_any(validation, [&](const auto& data) { check_fit(network_, data, "validation"); });
        const auto ids = sample_ids(train);
        const std::size_t steps_per_epoch = (train.size() + options.batch_size - 1) / options.batch_size;
        optimiser_.attach(network_.slices());
        line_.move(0, 0);
        planner_.start(options.costs);
        failure_told_ = false;
        const std::size_t steps = options.epochs * steps_per_epoch;
        rates_.assign(network_.blocks(), {});
        wanted_ = {};
        rates_left left(options.schedule, steps, steps_per_epoch);
        const double peak_rate = highest_rate(options, steps, steps_per_epoch);
        run_finished summary;
        const stopwatch scoring;
        decisions_.start(options.epochs, steps, probe_images<T>(train, ids, decisions_.probe_samples()));
        summary.seconds = scoring.seconds();
        tell(run_started{.epochs = options.epochs,
                         .steps_per_epoch = steps_per_epoch,
                         .batch_size = options.batch_size,
                         .training_samples = train.size(),
                         .blocks = network_.blocks(),
                         .parameters = network_.parameters(),
                         .seed = options.seed,
                         .threads = threads(),
                         .costs = costs_,
                         .views = views_of(train)});

        if (options.costs) tell(planner_.basis(0, 0));

        batch_loader<T, Train> loader(train);
        std::size_t step = 0;
        double last_loss = 0;
        loss_sum since_decision;
        for (std::size_t epoch = 0; epoch < options.epochs && !summary.stopped; ++epoch) {
            const stopwatch training;
            const auto order = batch_order(ids, options.seed, epoch, options.shards);
            epoch_finished report{.epoch = epoch + 1,
                                  .frozen = line_.frozen(),
                                  .dropped = line_.dropped(),
                                  .frozen_behind = numbers_of(line_.behind())};
            flop_counter flops(network_);
            loss_sum losses;
            std::size_t correct = 0;
            const auto decide = [&](std::size_t epochs_finished) {
                const double full = static_cast<double>(flops.full_of_sample()) *
                                    static_cast<double>(train.size() * options.epochs);
                const std::uint64_t flops_spent =
                    summary.forward_flops + summary.backward_flops + flops.forward() + flops.backward();
                const run_spending spent{.flops = static_cast<double>(flops_spent),
                                         .full_flops = full,
                                         .seconds = summary.seconds + training.seconds()};
                const double loss = std::exchange(since_decision, {}).mean();
                auto decision = decisions_.take(epochs_finished, step, loss, left.from(step), line_.frozen(),
                                                line_.behind(), spent);
                wanted_ = decision.wanted;
                return decision;
            };
            const batches of_epoch(order, options.batch_size, options.shards);
            const auto view = static_cast<std::uint32_t>(epoch);
            // What is stored needs no images but those that the store misses.
            const bool ahead = line_.dropped() == 0 || (planner_.fills(views_of(train)) && !line_.advances());
            if (ahead) loader.start(of_epoch, view);
            std::size_t number = 0;
            for (const auto batch : of_epoch) {
                report.learning_rate = options.schedule({.step = step,
                                                         .steps = options.epochs * steps_per_epoch,
                                                         .steps_per_epoch = steps_per_epoch});
                const tensor<T>& features = ahead ? line_.input(loader, targets_, ids_, view)
                                                  : line_.input(train, batch, targets_, ids_, view);
                if (++number < of_epoch.size()) line_.prefetch(train, of_epoch[number], view);
                const bool decides = options.decide_every == 0 ? (step + 1) % steps_per_epoch == 0
                                                               : (step + 1) % options.decide_every == 0;
                decisions_.before_step(decides);
                const rate_view rate{
                    .step = step, .steps = steps, .rate = report.learning_rate, .peak_rate = peak_rate};
                const double batch_loss = last_loss = this->step(features, options, rate, correct);
                flops.add_step(batch.size(), line_.take_filled_samples(), line_.frozen(), line_.dropped(),
                               line_.behind());
                line_.take_advanced_samples([&](std::size_t samples, std::size_t from) {
                    flops.add_advance(samples, from, line_.dropped());
                });
                losses.add(batch_loss, batch.size());
                since_decision.add(batch_loss, batch.size());
                tell(step_finished{.epoch = epoch,
                                   .step = step,
                                   .samples = batch.size(),
                                   .loss = batch_loss,
                                   .learning_rate = report.learning_rate,
                                   .frozen = line_.frozen(),
                                   .dropped = line_.dropped()});
                ++step;
                if (stop.stop_requested()) {
                    summary.stopped = true;
                    break;
                }
                if (decides && step % steps_per_epoch != 0) {
                    const auto decision = decide(epoch);
                    report.scores = decision.scores;
                    tell(decision);
                    // What the store holds is moved between epochs only, unless it thaws.
                    move_line(
                        epoch, step,
                        {.dropped =
                             line_.dropped() <= decisions_.boundary(wanted_.leading()) ? line_.dropped() : 0,
                         .tiers = planner_.tiers_used(),
                         .reason = "within an epoch nothing new is dropped"});
                }
            }
            if (summary.stopped || epoch + 1 == options.epochs)
                require_finite(step - 1, last_loss, report.learning_rate);
            report.train_loss = losses.mean();
            report.train_accuracy = static_cast<double>(correct) / static_cast<double>(losses.samples);
            report.store_bytes = store_.bytes();
            report.forward_flops = flops.forward();
            report.backward_flops = flops.backward();

            std::optional<decision_taken> decision;
            if (!summary.stopped && (options.decide_every == 0 || step % options.decide_every == 0))
                decision = decide(epoch + 1);
            report.seconds = training.seconds();

            const stopwatch evaluating;
            report.validation_accuracy = evaluate(validation);
            report.test_accuracy = evaluate(test);
            report.evaluation_seconds = evaluating.seconds();

            if (decision) report.scores = decision->scores;
            summary.epochs = epoch + 1;
            summary.test_accuracy = report.test_accuracy;
            summary.seconds += report.seconds;
            summary.evaluation_seconds += report.evaluation_seconds;
            summary.forward_flops += report.forward_flops;
            summary.backward_flops += report.backward_flops;
            summary.forward_flops_full += flops.forward_full();
            summary.backward_flops_full += flops.backward_full();
            summary.scoring_flops = decisions_.scoring_flops();
            summary.frozen = line_.frozen();
            summary.dropped = line_.dropped();
            tell(report);
            if (decision) tell(*decision);
            tell_failure(epoch, step);
            if (!summary.stopped && epoch + 1 < options.epochs) {
                const stopwatch planning;
                const auto planned = plan(epoch + 1, step, options, train);
                summary.seconds += planning.seconds();
                move_line(epoch + 1, step, planned);
            }
        }
        tell(summary);
        return summary;
    }

private:
    class stopwatch {
    public:
        double seconds() const {
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        }

    private:
        std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    };

    // The mean of losses, weighted by samples.
    struct loss_sum {
        double sum = 0;
        std::size_t samples = 0;

        void add(double loss, std::size_t of_samples) {
            sum += loss * static_cast<double>(of_samples);
            samples += of_samples;
        }
        double mean() const { return samples == 0 ? 0.0 : sum / static_cast<double>(samples); }
    };

    static std::vector<std::size_t> numbers_of(const std::vector<bool>& flags) {
        std::vector<std::size_t> numbers;
        for (std::size_t i = 0; i < flags.size(); ++i)
            if (flags[i]) numbers.push_back(i);
        return numbers;
    }

    template <class Event>
    void tell(const Event& event) {
        std::apply([&](auto&... each) { (notify(each, event), ...); }, observers_);
    }

    static double highest_rate(const training_options& options, std::size_t steps,
                               std::size_t steps_per_epoch) {
        double highest = 0;
        if constexpr (sets_learning_rates<Policy>)
            for (std::size_t step = 0; step < steps; ++step)
                highest = std::max(
                    highest,
                    options.schedule({.step = step, .steps = steps, .steps_per_epoch = steps_per_epoch}));
        return highest;
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
        if (diverged) fail(sentence("the gradient of block ", *diverged), step, batch_loss, rate.rate);
        decisions_.count_step(rate.rate, rates_);
        return batch_loss;
    }

    // After the last step, whose update no gradient is behind to tell of.
    void require_finite(std::size_t step, double loss, double rate) {
        if (!all_finite(&loss, 1)) fail("the loss", step, loss, rate);
        for (std::size_t block = 0; block < network_.blocks(); ++block) {
            const auto& part = network_.block(block);
            if (!all_finite(network_.arenas().values().data() + part.first_value,
                            part.last_value - part.first_value))
                fail(sentence("after its update a weight of block ", block), step, loss, rate);
        }
    }

    [[noreturn]] static void fail(const std::string& what, std::size_t step, double loss, double rate) {
        throw divergence_error(sentence("training diverged: ", what, " is NaN or infinite at step ", step,
                                        " with learning rate ", rate, " (loss ", loss,
                                        "); a lower rate or a warm-up may help"));
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
        const auto is_frozen = [](std::size_t block, std::size_t leading, const std::vector<bool>& others) {
            return block < leading || (!others.empty() && others[block]);
        };
        for (std::size_t block = 0; block < network_.blocks(); ++block)
            if (is_frozen(block, frozen_before, line_.behind()) && !is_frozen(block, frozen, behind))
                optimiser_.reset(block, block + 1);
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

    frozen_blocks wanted_;  // the policy's last answer
    std::vector<block_rate> rates_;
    std::vector<std::int32_t> targets_;
    std::vector<std::uint64_t> ids_;
    tensor<T> dlogits_;
};

}  // namespace frostline
