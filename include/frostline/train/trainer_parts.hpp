// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/train/decision_history.hpp"
#include "frostline/train/drop_planner.hpp"
#include "frostline/train/evaluation.hpp"
#include "frostline/train/frost_line.hpp"
#include "frostline/train/observer_group.hpp"
#include "frostline/train/training_step.hpp"

#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// What a trainer is made of. The members refer to one another, so that it stays where it is.
template <class Network, class Loss, class Optimiser, class Scorer, class Policy, class Store,
          class... Observers>
struct trainer_parts {
    using value_type = typename Network::value_type;
    using network_type = Network;
    using policy_type = Policy;

    trainer_parts(Network& trained, Loss loss, Optimiser optimiser, Scorer scorer, Policy policy,
                  Store features, Observers&... told)
        : network(trained),
          step(network, std::move(loss), std::move(optimiser)),
          store(std::move(features)),
          line(network, store),
          planner(network, store),
          decisions(network, std::move(scorer), std::move(policy)),
          observers(told...) {}
    trainer_parts(const trainer_parts&) = delete;
    trainer_parts& operator=(const trainer_parts&) = delete;

    Network& network;
    training_step<Network, Loss, Optimiser> step;
    Store store;
    frost_line<Network, Store> line;
    drop_planner<Network, Store> planner;
    decision_history<Network, Scorer, Policy> decisions;
    observer_group<Observers...> observers;
    evaluator<value_type> evaluate;
};

}  // namespace frostline
