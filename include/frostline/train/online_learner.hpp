// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/loss.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/optimiser.hpp"
#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/features/assumed_costs.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/train/costs.hpp"
#include "frostline/train/decision_history.hpp"
#include "frostline/train/drift_signal.hpp"
#include "frostline/train/drop_planner.hpp"
#include "frostline/train/frost_line.hpp"
#include "frostline/train/online_options.hpp"
#include "frostline/train/probe.hpp"
#include "frostline/train/replay_buffer.hpp"
#include "frostline/train/thawed_blocks.hpp"
#include "frostline/train/training_step.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Trains a network on samples that arrive in sequence, one or many at a time, and freezes and drops its
/// blocks as they converge.
///
/// Each call of partial_fit first tests the network on the new samples, then takes one step on them and on
/// samples replayed from a buffer, then offers the new ones to the buffer. Decisions come every so many
/// steps, by the same scorers and policies as in the trainer. Blocks that are dropped run once for each new
/// sample, and not for replayed ones: the feature store holds what the buffer's samples give behind them. A
/// drift of the stream thaws every block.
///
/// With keep_pixels the buffer holds the pixels beside the features, so that all of it can be replayed
/// through blocks that thaw. Without, the pixels go once the store holds the features of every sample held;
/// what thaws then learns from new samples alone, since the buffer begins anew.
///
/// Between decisions nothing is allocated, once the buffer is full and its features are stored. Same seed and
/// stream give the same weights, to the bit, and while there are pixels with any store and with none.
template <class Network, class Loss, class Optimiser, class Scorer, class Policy, class Store, class Buffer,
          class... Observers>
class online_learner {
    using T = typename Network::value_type;
    static_assert(loss<Loss, T> || explain_loss<Loss, T>());
    static_assert(optimiser<Optimiser, T> || explain_optimiser<Optimiser, T>());
    static_assert(scorer<Scorer, T> || explain_scorer<Scorer, T>());
    static_assert(freezing_policy<Policy> || explain_freezing_policy<Policy>());
    static_assert(feature_store<Store, T> || explain_feature_store<Store, T>());
    static_assert(std::same_as<typename Buffer::value_type, T>,
                  "frostline: the replay buffer must hold the numbers of the network, float or double");
    static_assert(((observer<Observers> || explain_observer<Observers>()) && ...));

public:
    /// Starts from the network's present weights. The network and the observers are used in place and have to
    /// outlive the learner.
    /// @throws argument_error for options out of range, and for a scorer that observes outputs without a
    /// replay buffer to take its probe batch from
    online_learner(Network& network, Loss loss, Optimiser optimiser, Scorer scorer, Policy policy,
                   Store store, Buffer buffer, const online_options& options, Observers&... observers)
        : network_(network),
          step_(network_, std::move(loss), std::move(optimiser)),
          store_(std::move(store)),
          buffer_(std::move(buffer)),
          options_(options),
          line_(network_, store_),
          planner_(network_, store_),
          decisions_(network_, std::move(scorer), std::move(policy)),
          drift_(options_.drift),
          recent_(static_cast<double>(options_.window)),
          observers_(observers...) {
        check(options_);
        require<argument_error>(decisions_.probe_samples() == 0 || buffer_.capacity() > 0,
                                "the scorer's probe batch is taken from the replay buffer, but that holds no "
                                "samples");
        buffer_.attach(network_.input_shape(), network_.output_shape().size(), options_.seed);
        step_.start();
        planner_.start(options_.costs ? *options_.costs
                                      : assumed_costs(costs_of_blocks(network_), tiers_of(store_).size()));
        replayed_.reserve(options_.replayed);
        begin_decisions();
        move(decisions_.at_start(), "the policy freezes them from the start");
    }
    online_learner(const online_learner&) = delete;
    online_learner& operator=(const online_learner&) = delete;

    /// Tests the network on a batch of new samples, then learns from them.
    /// @param images (samples, height, width, channels), at least one sample @param targets one a sample
    /// @throws shape_error when the network does not take such samples or the numbers differ, argument_error
    /// for a target that is no class; nothing has changed then
    /// @throws divergence_error when a gradient is NaN or infinite
    online_step partial_fit(const tensor<T>& images, std::span<const std::int32_t> targets) {
        check_samples(network_, images, targets);
        online_step report{.samples = targets.size(), .frozen = line_.frozen(), .dropped = line_.dropped()};
        assemble(images, targets, report);
        report.train_loss = step();
        samples_ += report.samples;
        correct_ += report.correct;
        recent_.add(static_cast<double>(report.correct) / static_cast<double>(report.samples),
                    report.samples);
        tell(step_finished{.step = steps_,
                           .samples = targets_.size(),
                           .loss = report.train_loss,
                           .learning_rate = options_.learning_rate,
                           .frozen = report.frozen,
                           .dropped = report.dropped});
        ++steps_;
        report.drift = drift_.add(report.loss, report.samples);
        if (report.drift)
            thaw(sentence("the running loss rose to ", drift_.running_loss(), " from ", drift_.usual_loss()));
        else if (decisions_.paused())
            begin_decisions();
        else if (steps_of_interval() == 0)
            decide();
        return report;
    }

    /// The outputs of the whole network, in inference; valid until the next call.
    const tensor<T>& predict(const tensor<T>& images) { return network_.predict(images); }

    /// Thaws every block and forgets all decisions, as a drift does: for a signal of one's own.
    void thaw(const std::string& reason = "all blocks were thawed on request") {
        move({}, reason);
        drift_.reset();
        begin_decisions();
    }

    std::size_t steps() const { return steps_; }
    std::size_t samples() const { return samples_; }
    std::size_t frozen() const { return line_.frozen(); }    ///< leading blocks of the network
    std::size_t dropped() const { return line_.dropped(); }  ///< leading blocks of the network

    /// Prequential accuracy: the share of all samples that were put into their class before they were learnt.
    double accuracy() const {
        return samples_ == 0 ? 0 : static_cast<double>(correct_) / static_cast<double>(samples_);
    }
    /// The same, in which old samples fade (Gama, Sebastião, Rodrigues 2013).
    double recent_accuracy() const { return recent_.value(); }

    const Buffer& buffer() const { return buffer_; }
    const Store& store() const { return store_; }
    /// Of replay buffer and feature store.
    std::size_t bytes() const { return buffer_.bytes() + store_.bytes(); }

private:
    static constexpr pass inference{.phase = phase::inference};
    static constexpr std::size_t rows_at_once = 64;

    // Puts together what enters the first block that learns: the new samples, which are tested on the way,
    // then the replayed ones.
    void assemble(const tensor<T>& images, std::span<const std::int32_t> targets, online_step& report) {
        const std::size_t frozen = line_.frozen(), count = targets.size();
        const std::size_t size = network_.shape_at(frozen).size();
        const tensor<T>* const replayed = replay();
        resize(features_, count + replayed_.size(), network_.shape_at(frozen));
        targets_.assign(targets.begin(), targets.end());
        ids_.resize(count);
        std::iota(ids_.begin(), ids_.end(), std::uint64_t{samples_});
        if (replayed) {
            std::copy_n(replayed->data(), replayed->size(), features_.data() + count * size);
            targets_.insert(targets_.end(), old_targets_.begin(), old_targets_.end());
            for (const std::size_t index : replayed_) ids_.push_back(buffer_.number(index));
        }

        const tensor<T>& at_cut = network_.forward(images, 0, line_.dropped(), inference);
        offer(images, targets, at_cut);
        const tensor<T>& rows = network_.forward(at_cut, line_.dropped(), frozen, inference);
        std::copy_n(rows.data(), rows.size(), features_.data());
        const tensor<T>& outputs = network_.forward(rows, frozen, network_.blocks(), inference);
        report.loss = step_.loss()(outputs, targets, test_gradient_);
        report.correct = count_correct(outputs, targets);
        store_accepted();
    }

    // What enters the first block that learns, of samples that are drawn; null where there are none.
    const tensor<T>* replay() {
        const tensor<T>* rows = nullptr;
        do draw_replayed();
        while (!replayed_.empty() && !(rows = replayed_features()));
        return rows;
    }

    // Null where the store has lost one of them since, and there are no pixels to compute it from: all such
    // samples have been given up then.
    const tensor<T>* replayed_features() {
        line_.take_filled_samples();  // what was counted before is not asked for here
        line_.take_advanced_samples([](std::size_t, std::size_t) {});
        const std::size_t held = buffer_.size();
        try {
            return &line_.input(buffer_, replayed_, old_targets_, old_ids_);
        } catch (const argument_error&) {
            if (!buffer_.has_pixels()) remove_lost();
            if (buffer_.size() == held) throw;
            return nullptr;
        }
    }

    void draw_replayed() {
        replayed_.clear();
        if (buffer_.size() == 0) return;
        const random_stream draws(options_.seed, purpose::replay, 1, steps_);
        for (std::size_t i = 0; i < options_.replayed; ++i)
            replayed_.push_back(
                static_cast<std::size_t>(draws.uniform(i) * static_cast<double>(buffer_.size())));
    }

    // Offers the new samples to the buffer, and keeps what belongs into the store of those that it takes.
    void offer(const tensor<T>& images, std::span<const std::int32_t> targets, const tensor<T>& at_cut) {
        accepted_.clear();
        accepted_from_.clear();
        const std::size_t pixels = network_.input_shape().size();
        for (std::size_t row = 0; row < targets.size(); ++row) {
            const auto index = buffer_.offer(samples_ + row, targets[row], images.data() + row * pixels);
            if (!index || line_.dropped() == 0) continue;
            // A place that is taken twice belongs to the later sample.
            const auto before = std::find(accepted_.begin(), accepted_.end(), *index);
            const auto place = static_cast<std::size_t>(before - accepted_.begin());
            if (before == accepted_.end()) accepted_.push_back(*index);
            accepted_from_.resize(std::max(accepted_from_.size(), place + 1));
            accepted_from_[place] = row;
        }
        if (accepted_.empty() || recomputes()) return;
        const std::size_t size = network_.shape_at(line_.dropped()).size();
        resize(accepted_rows_, accepted_.size(), network_.shape_at(line_.dropped()));
        for (std::size_t i = 0; i < accepted_.size(); ++i)
            std::copy_n(at_cut.data() + accepted_from_[i] * size, size, accepted_rows_.data() + i * size);
    }

    // Where pixels are kept with fewer digits, a replayed sample is the one that was kept.
    bool recomputes() const { return !Buffer::is_exact && buffer_.has_pixels(); }

    void store_accepted() {
        if (accepted_.empty()) return;
        accepted_ids_.clear();
        for (const std::size_t index : accepted_) accepted_ids_.push_back(buffer_.sample_id(index));
        if (recomputes()) {
            load_batch(buffer_, accepted_, images_, old_targets_, old_ids_);
            line_.replace(accepted_ids_, network_.forward(images_, 0, line_.dropped(), inference));
        } else {
            line_.replace(accepted_ids_, accepted_rows_);
        }
        if (!buffer_.has_pixels()) remove_lost();
    }

    double step() {
        decisions_.before_step(steps_of_interval() + 1 == options_.decide_every);
        step_figures figures;
        step_(features_, targets_,
              {.phase = phase::training, .seed = options_.seed, .step = steps_, .samples = ids_},
              targets_.size(),
              {.step = steps_ - first_step_,
               .steps = options_.horizon,
               .rate = options_.learning_rate,
               .peak_rate = options_.learning_rate},
              options_.weight_decay, line_, decisions_, alone_, figures);
        losses_ += figures.loss;
        return figures.loss;
    }

    std::size_t steps_of_interval() const { return (steps_ - first_step_) % options_.decide_every; }

    // Decisions begin anew, at once, or where there is to be a probe batch when the buffer can give one.
    void begin_decisions() {
        const std::size_t wanted = std::min(decisions_.probe_samples(), buffer_.capacity());
        const bool ready = wanted == 0 || (buffer_.has_pixels() && buffer_.size() >= wanted);
        first_step_ = steps_;
        if (!ready) return decisions_.pause();
        decided_ = 0;
        losses_ = 0;
        tensor<T> images;
        if (wanted > 0) images = probe_images<T>(buffer_, sample_ids(buffer_), wanted);
        decisions_.start(options_.horizon / options_.decide_every, options_.horizon, std::move(images));
        if (!options_.keep_pixels) store_in_place_of_pixels();
    }

    void decide() {
        const double mean = losses_ / static_cast<double>(options_.decide_every);
        losses_ = 0;
        decisions_.keep_last(options_.history - 1, options_.decide_every);
        const auto decision = decisions_.take(++decided_, steps_ - first_step_, mean,
                                              options_.learning_rate * static_cast<double>(options_.horizon),
                                              line_.frozen(), line_.behind());
        tell(decision);
        move(decision.wanted,
             sentence("the policy wants ", decision.wanted.leading(), " learning blocks frozen"));
        tell_failure();
    }

    void tell_failure() {
        if (const auto problem = problem_of(store_); !problem.empty() && !std::exchange(failure_told_, true))
            tell(store_failed{decided_, steps_, problem});
    }

    // Makes what is wanted true, as far as the rules and the plan allow.
    void move(const frozen_blocks& wanted, const std::string& reason) {
        const std::size_t frozen_before = line_.frozen(), dropped_before = line_.dropped();
        const std::size_t frozen = decisions_.boundary(wanted.leading());
        auto behind = decisions_.frozen_behind(wanted);
        if (frozen == frozen_before && behind == line_.behind()) return;
        tell_failure();  // which the store forgets where it is cleared
        drop_decision planned{.dropped = dropped_before, .tiers = planner_.tiers_used()};
        if (frozen != frozen_before) planned = plan(frozen);
        reset_thawed(step_.optimiser(), network_.blocks(), {frozen_before, line_.behind()}, {frozen, behind});
        // Without pixels only what is advanced outlives a move of the cut.
        const bool lost = !buffer_.has_pixels() && buffer_.capacity() > 0 &&
                          planned.dropped != dropped_before &&
                          !(planned.dropped > dropped_before && frozen >= dropped_before && grows(store_));
        line_.move(frozen, planned.dropped, std::move(behind));
        planner_.moved(planned);
        if (lost) buffer_.clear();
        if (!options_.keep_pixels && planned.dropped != dropped_before) store_in_place_of_pixels();
        tell(frost_line_moved{.epoch = decided_,
                              .step = steps_,
                              .frozen_before = frozen_before,
                              .frozen = frozen,
                              .dropped_before = dropped_before,
                              .dropped = planned.dropped,
                              .reason = sentence(reason, "; ", planned.reason),
                              .frozen_behind = line_.numbers_behind(),
                              .options = std::move(planned.options)});
    }

    // The stored rows are read as often as the buffer is replayed up to the horizon.
    drop_decision plan(std::size_t frozen) {
        if (buffer_.capacity() == 0) return {.reason = "there is no replay buffer"};
        constexpr std::size_t always = 1'000'000;
        const std::size_t times = options_.replayed * options_.horizon / buffer_.capacity();
        return planner_.plan(buffer_, options_.keep_pixels ? times : always, frozen, rows_at_once,
                             buffer_.capacity());
    }

    // Stores the features of all samples held, and then gives the pixels back unless some found no room, or a
    // probe batch has still to be taken.
    void store_in_place_of_pixels() {
        if (line_.dropped() == 0 || decisions_.paused()) return;
        for (std::size_t first = 0; first < buffer_.size();) {
            replayed_.resize(std::min(rows_at_once, buffer_.size() - first));
            std::iota(replayed_.begin(), replayed_.end(), first);
            first = replayed_features() ? first + rows_at_once : 0;  // 0: others have taken their places
        }
        if (!buffer_.has_pixels()) return remove_lost();
        for (std::size_t index = 0; index < buffer_.size(); ++index)
            if (!line_.holds(buffer_.sample_id(index))) return;
        buffer_.release_pixels();
    }

    // Without pixels a sample whose features found no room cannot be replayed.
    void remove_lost() {
        for (std::size_t index = buffer_.size(); index-- > 0;)
            if (!line_.holds(buffer_.sample_id(index))) buffer_.remove(index);
    }

    template <class Event>
    void tell(const Event& event) {
        std::apply([&](auto&... each) { (notify(each, event), ...); }, observers_);
    }

    Network& network_;
    training_step<Network, Loss, Optimiser> step_;
    no_exchange alone_;
    Store store_;
    Buffer buffer_;
    online_options options_;
    frost_line<Network, Store> line_;
    drop_planner<Network, Store> planner_;
    decision_history<Network, Scorer, Policy> decisions_;
    drift_signal drift_;
    fading_mean recent_;
    std::tuple<Observers&...> observers_;

    std::size_t steps_ = 0, samples_ = 0, correct_ = 0;
    std::size_t first_step_ = 0;  // since which decisions are prepared
    std::size_t decided_ = 0;     // since then
    double losses_ = 0;           // of the steps since the last of them
    bool failure_told_ = false;

    tensor<T> features_, accepted_rows_, images_, test_gradient_;
    std::vector<std::int32_t> targets_, old_targets_;
    std::vector<std::uint64_t> ids_, old_ids_, accepted_ids_;
    std::vector<std::size_t> replayed_;                  // by index in the buffer
    std::vector<std::size_t> accepted_, accepted_from_;  // by index in the buffer; by row of the new samples
};

}  // namespace frostline
