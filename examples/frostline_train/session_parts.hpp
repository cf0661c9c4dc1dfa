// SPDX-License-Identifier: MIT
#pragma once

#include "run_data.hpp"
#include "settings.hpp"

#include "frostline/concepts/plan_costs.hpp"
#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/any_scorer.hpp"

#include <atomic>
#include <optional>
#include <vector>

/// What the runs of one command line share.
struct session_parts {
    const settings& chosen;
    const std::atomic<bool>& interrupted;
    process_group& processes;
    frostline::any_scorer<scalar> scorer;
    std::vector<frostline::any_scorer<scalar>> others;  // that are recorded, too
    run_data data;
    std::optional<frostline::plan_costs> costs;   ///< that the plan reckons with; absent: measured
    std::vector<frostline::any_policy> policies;  ///< one run each
};

/// Trains the network with one policy after the other, from the same weights and over the same batches. Each
/// family of models has a file of its own that instantiates this: together they took minutes to compile.
/// @return whether a signal cut the runs short
template <class Network>
bool run_session(Network network, const session_parts& parts);
