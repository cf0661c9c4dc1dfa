// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/core/batch_reduction.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parameter.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/distributed/gradient_buckets.hpp"
#include "frostline/train/require_same.hpp"
#include "frostline/train/training_options.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What is known of a step once it is done in all processes.
struct step_figures {
    double loss = 0;  ///< mean over the batch
    std::size_t correct = 0;
    std::size_t filled = 0;            ///< samples that ran through the dropped blocks to fill the store
    std::uint64_t advanced_flops = 0;  ///< of what was stored at an earlier cut
};

/// What a run does for the other processes that train the same network: each takes its shards' part of every
/// batch, and all of them have the same gradients and therefore the same weights. In a single process none
/// of it does anything.
///
/// Sums over processes make gradients those of the mean over the whole batch: each process scales what its
/// loss gives by its share of the samples.
template <class Network, communicator Communicator>
class data_parallel {
    using T = typename Network::value_type;

public:
    /// Network and communicator have to outlive it.
    /// @throws argument_error unless the processes divide the shards, and every batch has a sample for each
    data_parallel(Network& network, Communicator& processes, const training_options& options,
                  std::size_t samples)
        : network_(network), processes_(processes), buckets_(processes, options.bucket_bytes) {
        if (alone()) return;
        require<argument_error>(options.shards % size() == 0, "the number of shards is ", options.shards,
                                ", expected a multiple of ", size(), ", the number of processes");
        const std::size_t last = samples % options.batch_size;
        require<argument_error>(last == 0 || last >= size(), "the last batch of an epoch would have ", last,
                                last == 1 ? " sample" : " samples", " for ", size(),
                                " processes: choose another batch size than ", options.batch_size);
        synchronises_batch_norm_ = options.synchronise_batch_norm;
        sum_of_batch_.processes = &processes;
    }
    data_parallel(const data_parallel&) = delete;
    data_parallel& operator=(const data_parallel&) = delete;

    std::size_t rank() const { return processes_.rank(); }
    std::size_t size() const { return processes_.size(); }
    bool alone() const { return size() == 1; }

    /// Whether this is the process that tells observers and writes checkpoints.
    bool first() const { return rank() == 0; }

    /// The part of an epoch's order that this process takes: the shards whose number is its rank modulo the
    /// number of processes. Batches of it are this process's shares of the batches.
    std::vector<std::size_t> share(std::vector<std::size_t> order) const {
        if (alone()) return order;
        std::vector<std::size_t> mine;
        for (std::size_t place = rank(); place < order.size(); place += size())
            mine.push_back(order[place]);
        return mine;
    }

    /// Which samples these are in every epoch, by index.
    std::vector<bool> mine(std::span<const std::uint64_t> ids, const training_options& options) const {
        std::vector<bool> found(ids.size());
        for (const std::size_t index : share(batch_order(ids, options.seed, 0, options.shards)))
            found[index] = true;
        return found;
    }

    /// For layers that take statistics of a whole batch; empty: each process takes those of its share.
    batch_reduction reduction() {
        return synchronises_batch_norm_ ? batch_reduction::by(sum_of_batch_) : batch_reduction();
    }

    /// The value that the first process has.
    template <class Value>
    requires std::is_trivially_copyable_v<Value> Value of_first(Value value) {
        processes_.broadcast(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }

    double sum(double value) {
        processes_.sum(std::span(&value, 1));
        return value;
    }

    /// Whether each of these holds in any process.
    template <std::size_t Count>
    std::array<bool, Count> any(const std::array<bool, Count>& here) {
        if (alone()) return here;
        std::array<double, Count> numbers;
        std::array<bool, Count> found;
        for (std::size_t i = 0; i < Count; ++i) numbers[i] = here[i];
        processes_.sum(std::span<double>(numbers));
        for (std::size_t i = 0; i < Count; ++i) found[i] = numbers[i] > 0;
        return found;
    }
    void any(std::vector<bool>& flags) {
        if (alone()) return;
        std::vector<float> numbers(flags.begin(), flags.end());
        processes_.sum(std::span<float>(numbers));
        for (std::size_t i = 0; i < flags.size(); ++i) flags[i] = numbers[i] > 0;
    }

    /// Requires the same bytes in all processes. @param what  they are, "the scores at step 7"
    /// @throws process_error in all of them otherwise
    void require_same(std::span<const std::byte> bytes, std::string_view what) {
        frostline::require_same(processes_, bytes, what);
    }
    template <std::ranges::contiguous_range Values>
    void require_same(const Values& values, std::string_view what) {
        require_same(std::as_bytes(std::span(values)), what);
    }
    /// To be asked before anything else is exchanged: what differs could leave one waiting for another.
    /// @param identity  of the run @param test, validation  numbers of samples
    void require_same_run(const std::string& identity, const training_options& options, std::size_t test,
                          std::size_t validation) {
        if (alone()) return;
        require_same(sentence(identity, options.evaluate_every, ' ', options.synchronise_batch_norm, ' ',
                              options.bucket_bytes, ' ', test, ' ', validation, ' ', network_.blocks(), ' ',
                              network_.arenas().values().size()),
                     "the options, data or networks");
    }
    /// Scores and policy are given the same in every process, so that they must answer the same.
    void require_same_decision(const decision_taken& decision) {
        if (alone()) return;
        std::vector<double> all{static_cast<double>(decision.wanted.leading())};
        for (const std::size_t block : decision.wanted.behind()) all.push_back(static_cast<double>(block));
        for (const auto& score : decision.scores) {
            all.push_back(score.has_value());
            all.push_back(score.value_or(0));
        }
        require_same(all, sentence("the scores or decisions after step ", decision.step));
    }
    void require_same_weights(std::size_t step) {
        require_same(std::as_bytes(std::as_const(network_).arenas().values()),
                     sentence("the weights after step ", step));
    }

    /// Gives all processes the weights and the running statistics of the first.
    void spread_weights() {
        if (alone()) return;
        processes_.broadcast(std::as_writable_bytes(network_.arenas().values()));
        network_.for_each_buffer(
            [&](auto& item) { processes_.broadcast(std::as_writable_bytes(std::span(item.values))); });
    }

    /// Between forward and backward of a step: scales the gradient of this process's mean loss to its share
    /// of a batch of `samples`, and sends off the running statistics.
    /// @param frozen, behind  as of network.backward
    void start_step(std::size_t samples, tensor<T>& dlogits, std::size_t frozen,
                    const std::vector<bool>& behind) {
        if (alone()) return;
        const double part = static_cast<double>(samples_of(dlogits)) / static_cast<double>(samples);
        for (std::size_t i = 0; i < dlogits.size(); ++i)
            dlogits.data()[i] = static_cast<T>(part * dlogits.data()[i]);
        part_ = part;
        if (!synchronises_batch_norm_) start_statistics(frozen, behind);
    }

    /// In backward: the gradients of this block are complete.
    void add_block(std::size_t index, const std::vector<bool>& behind) {
        if (alone()) return;
        const auto& block = network_.block(index);
        if (!block.learns() || (!behind.empty() && behind[index])) return processes_.progress();
        buckets_.add(network_.arenas().gradients(), block.first_value, block.last_value);
    }

    /// After backward: the gradients, and the figures of the step, are those of all processes.
    void finish_step(step_figures& figures) {
        if (alone()) return;
        buckets_.finish();
        std::array<double, 4> all{part_ * figures.loss, static_cast<double>(figures.correct),
                                  static_cast<double>(figures.filled),
                                  static_cast<double>(figures.advanced_flops)};
        processes_.sum(std::span<double>(all));
        figures = {all[0], static_cast<std::size_t>(all[1]), static_cast<std::size_t>(all[2]),
                   static_cast<std::uint64_t>(all[3])};
        std::size_t place = 0;
        for (const std::size_t block : statistics_of_) for_each_statistic(block, [&](T& value) {
            value = statistics_[place++] / static_cast<T>(size());
        });
        statistics_of_.clear();
    }

private:
    struct sum_of_batch {
        Communicator* processes = nullptr;
        void operator()(std::span<double> numbers) const { processes->sum(numbers); }
    };

    template <class Use>
    void for_each_statistic(std::size_t index, const Use& use) {
        network_.visit(index, [&](auto& block, auto&) {
            block.for_each_buffer([&](buffer<T>& item) {
                for (T& value : item.values) use(value);
            });
        });
    }

    // Running statistics are averaged as they move, so that they are the same wherever somebody looks.
    void start_statistics(std::size_t frozen, const std::vector<bool>& behind) {
        statistics_.clear();
        for (std::size_t block = frozen; block < network_.blocks(); ++block) {
            if (!behind.empty() && behind[block]) continue;
            statistics_of_.push_back(block);
            for_each_statistic(block, [&](T& value) { statistics_.push_back(value); });
        }
        processes_.start_sum(std::span<T>(statistics_));
    }

    Network& network_;
    Communicator& processes_;
    gradient_buckets<T, Communicator> buckets_;
    bool synchronises_batch_norm_ = false;
    sum_of_batch sum_of_batch_;
    double part_ = 1;                         // of the batch, that is this process's
    std::vector<T> statistics_;               // of the blocks that learn, one behind the other
    std::vector<std::size_t> statistics_of_;  // these blocks
};

}  // namespace frostline
