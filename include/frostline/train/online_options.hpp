// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/train/drift_signal.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

struct online_options {
    double learning_rate = 0.01;
    double weight_decay = 5e-4;
    std::uint64_t seed = 0;    ///< of what is kept and replayed, and of random layers; not of the weights
    std::size_t replayed = 7;  ///< samples of the replay buffer that join the new ones in each step
    bool keep_pixels = true;   ///< false: the features of dropped blocks replace them, see online_learner
    std::size_t decide_every = 100;  ///< steps from one decision to the next
    /// How many steps a policy reckons with, since a stream has no end: in its view the run is that long, the
    /// rates of so many steps are always still to come, and an epoch lies between two decisions.
    std::size_t horizon = 10'000;
    std::size_t history = 64;  ///< the last decisions, which a policy sees
    drift_options drift{};
    std::size_t window = 1000;          ///< samples over which recent_accuracy() is taken
    std::optional<plan_costs> costs{};  ///< what the plan reckons with; absent: assumed_costs
};

/// @throws argument_error for options out of range
inline void check(const online_options& options) {
    require<argument_error>(std::isfinite(options.learning_rate) && options.learning_rate >= 0,
                            "the learning rate must be finite and not negative, found ",
                            options.learning_rate);
    require<argument_error>(std::isfinite(options.weight_decay) && options.weight_decay >= 0,
                            "the weight decay must be finite and not negative, found ", options.weight_decay);
    require<argument_error>(options.decide_every >= 1,
                            "the number of steps between decisions must be at least 1, found 0");
    require<argument_error>(options.horizon >= options.decide_every, "the horizon is ", options.horizon,
                            " steps, expected at least ", options.decide_every,
                            ", those from one decision to the next");
    require<argument_error>(options.history >= 1, "the history of decisions must hold at least 1, found 0");
    require<argument_error>(options.window >= 1,
                            "the recent accuracy is taken over 0 samples, expected at least 1");
}

/// @throws shape_error when the network does not take such samples, or has not one target for each;
/// argument_error for a target that is none of its classes
template <class Network, class T>
void check_samples(const Network& network, const tensor<T>& images, std::span<const std::int32_t> targets) {
    require<shape_error>(shape_of(images) == network.input_shape(), "the network takes samples of ",
                         network.input_shape(), ", but was given ", shape_of(images));
    require<shape_error>(!targets.empty() && targets.size() == samples_of(images),
                         "there is to be one target for each of at least 1 sample, found ", targets.size(),
                         " for ", samples_of(images));
    const std::size_t classes = network.output_shape().size();
    for (const std::int32_t target : targets)
        require<argument_error>(target >= 0 && static_cast<std::size_t>(target) < classes, "a target is ",
                                target, ", expected at least 0 and less than ", classes,
                                ", the number of classes");
}

/// What partial_fit found and did.
struct online_step {
    std::size_t samples = 0;  ///< new ones
    std::size_t correct = 0;  ///< of them, in their class before they were learnt
    double loss = 0;          ///< mean of the new samples, before they were learnt
    double train_loss = 0;    ///< mean of the step's samples, replayed ones included
    bool drift = false;       ///< the stream has changed: every block has thawed
    std::size_t frozen = 0;   ///< in this step, in blocks of the network
    std::size_t dropped = 0;  ///< in this step, in blocks of the network
};

}  // namespace frostline
