// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/optim/schedules.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

struct training_options {
    std::size_t epochs = 10;
    std::size_t batch_size = 128;
    any_schedule schedule = cosine{.rate = 0.05};
    double weight_decay = 5e-4;
    std::uint64_t seed = 0;  ///< of the batch order and of random layers, not of the network's weights
    std::size_t shards = 1;  ///< each batch takes an equal share from each of so many fixed parts of the data
    std::size_t decide_every = 0;  ///< steps from one decision to the next; 0: one decision after each epoch
    std::size_t evaluate_every = 1;  ///< epochs from one evaluation to the next; the last is always evaluated
    std::optional<plan_costs> costs{};  ///< what the plan reckons with; absent: measured at the first freeze

    // Of several processes only.
    bool synchronise_batch_norm = false;  ///< statistics of the whole batch in place of a process's share
    std::size_t bucket_bytes = std::size_t{4} << 20;  ///< gradients that are exchanged at a time
};

/// Stands for a data set that is not there; an empty std::optional of a data set does so at run time.
struct no_data {};

/// Stands for checkpoints that are not wanted: what the trainer asks of `checkpoints`.
struct no_checkpoints {
    static constexpr bool wanted() { return false; }
    bool due_after_step(std::size_t) const { return false; }
    bool due_after_epoch(std::size_t) const { return false; }
    void save(std::size_t, auto&&...) {}
    void load(auto&&...) {}
    void share(auto&&) {}
};

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
    require<argument_error>(options.evaluate_every >= 1,
                            "the number of epochs between evaluations must be at least 1, found 0");
    require<argument_error>(std::isfinite(options.weight_decay) && options.weight_decay >= 0,
                            "the weight decay must be finite and not negative, found ", options.weight_decay);
    check_fit(network, train, "training");
}

}  // namespace frostline
