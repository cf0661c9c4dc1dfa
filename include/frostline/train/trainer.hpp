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
#include "frostline/distributed/single_process.hpp"
#include "frostline/freeze/any_scorer.hpp"
#include "frostline/train/training_options.hpp"
#include "frostline/train/training_run.hpp"

#include <stop_token>
#include <type_traits>
#include <utility>

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
    static_assert(loss<Loss, T> || explain_loss<Loss, T>());
    static_assert(optimiser<Optimiser, T> || explain_optimiser<Optimiser, T>());
    static_assert(scorer<Scorer, T> || explain_scorer<Scorer, T>());
    static_assert(freezing_policy<Policy> || explain_freezing_policy<Policy>());
    static_assert(feature_store<Store, T> || explain_feature_store<Store, T>());
    static_assert(((observer<Observers> || explain_observer<Observers>()) && ...));

public:
    /// The network and the observers are used in place and have to outlive the trainer.
    trainer(Network& network, Loss loss, Optimiser optimiser, Scorer scorer, Policy policy, Store store,
            Observers&... observers)
        : parts_(network, std::move(loss), std::move(optimiser), std::move(scorer), std::move(policy),
                 std::move(store), observers...) {}
    trainer(const trainer&) = delete;
    trainer& operator=(const trainer&) = delete;

    /// What a scorer with the reference `probe_reference::snapshot()` compares with: a network of the same
    /// architecture, used in place at the start of each run, so that it has to live until then.
    void compare_with(Network& snapshot) { parts_.decisions.compare_with(snapshot); }

    /// Scores by another scorer, too: its scores are told to the observers with each decision, so that a
    /// record of them serves policies that are meant for it. What it observes costs time and memory as the
    /// trainer's own scorer does. To be called before a run.
    /// @throws argument_error where one of the others has its name
    void also_score(any_scorer<T> other) { parts_.decisions.also_score(std::move(other)); }

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
    template <class Train, class Test = no_data, class Validation = no_data,
              class Checkpoints = no_checkpoints, class Communicator = single_process>
    run_finished run(const training_options& options, const Train& train, const Test& test = {},
                     const Validation& validation = {}, const std::stop_token& stop = {},
                     Checkpoints&& saved = {}, Communicator&& processes = {}) {
        static_assert(dataset<Train> || explain_dataset<Train>());
        using group = std::remove_reference_t<Communicator>;
        static_assert(communicator<group> || explain_communicator<group>());
        check(options, parts_.network, train);
        training_run under_way(parts_, options, train, test, validation, saved, processes);
        return under_way(stop);
    }

private:
    trainer_parts<Network, Loss, Optimiser, Scorer, Policy, Store, Observers...> parts_;
};

}  // namespace frostline
