// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/policies/auto_freeze.hpp"
#include "frostline/freeze/policies/budget.hpp"
#include "frostline/freeze/policies/cubic_schedule.hpp"
#include "frostline/freeze/policies/egeria.hpp"
#include "frostline/freeze/policies/freeze_out.hpp"
#include "frostline/freeze/policies/geometric_schedule.hpp"
#include "frostline/freeze/policies/grades.hpp"
#include "frostline/freeze/policies/gradual_thaw.hpp"
#include "frostline/freeze/policies/head_only.hpp"
#include "frostline/freeze/policies/layer_out.hpp"
#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/freeze/policies/linear_schedule.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/freeze/policies/sim_freeze.hpp"
#include "frostline/freeze/policies/svcca_freeze.hpp"

#include <concepts>
#include <limits>

namespace frostline::inline FROSTLINE_ISA {

/// Calls visit(key, value, lowest, highest, meaning) for each option of a policy, `value` being its member.
template <class Visitor>
void for_each_option(never&, const Visitor&) {}

template <class Policy, class Visitor>
    requires(std::same_as<Policy, linear_schedule> || std::same_as<Policy, cubic_schedule>)
void for_each_option(Policy& policy, const Visitor& visit) {
    visit("start", policy.start, 0, 1, "share of the run after which blocks begin to freeze");
    visit("end", policy.end, 0, 1, "share of the run after which the last of them is frozen");
    visit("share", policy.share, 0, 1, "share of the blocks that is frozen then");
}

template <class Visitor>
void for_each_option(head_only&, const Visitor&) {}

template <class Visitor>
void for_each_option(gradual_thaw& policy, const Visitor& visit) {
    visit("start", policy.start, 0, 1, "share of the run in which only the head learns");
    visit("end", policy.end, 0, 1, "share of the run after which the last block has thawed");
    visit("share", policy.share, 0, 1, "share of the blocks, from the head on, that thaws");
}

template <class Visitor>
void for_each_option(geometric_schedule& policy, const Visitor& visit) {
    visit("alpha", policy.alpha, 0, 1, "share of the remaining blocks that freezes after each epoch");
    visit("start", policy.start, 0, 1, "share of the run after which blocks begin to freeze");
}

template <class Visitor>
void for_each_option(freeze_out& policy, const Visitor& visit) {
    visit("first", policy.first, 0, 1, "share of the run after which the first block freezes, before cubing");
    visit("cubed", policy.cubed, 0, 1, "1 cubes the times at which blocks freeze");
    visit("scaled", policy.scaled, 0, 1, "1 gives every block the same sum of learning rates");
}

template <class Visitor>
void for_each_option(learn_and_drop& policy, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("warm_up", policy.warm_up, 0, 1, "share of the run in which nothing freezes");
    visit("warm_up_loss", policy.warm_up_loss, 0, most, "nor before the training loss is below this");
    visit("warm_up_most", policy.warm_up_most, 0, 1, "or this share of the run is over; then blocks are due");
    visit("deadline", policy.deadline, 0, most,
          "share of the run by which all of them are due, whatever their scores; above 1: none is");
    visit("below_peak", policy.below_peak, 0, most,
          "a block has slowed down below this share of its highest score");
    visit("remaining", policy.remaining, 0, most,
          "and is done when the way left is below this share of the way gone");
    visit("keep_active", policy.keep_active, 0, most, "learning blocks at the output end that never freeze");
    visit("patience", policy.patience, 1, most, "decisions at which it must have been slow");
    visit("at_most", policy.at_most, 0, 1, "share of the learning blocks that may freeze at one decision");
    visit("from_start", policy.from_start, 0, 1,
          "share of them that is frozen before the first step, for trained weights");
}

template <class Visitor>
void for_each_option(auto_freeze& policy, const Visitor& visit) {
    visit("percentile", policy.percentile, 0, 100, "of the scores of the active blocks, to be below");
}

template <class Visitor>
void for_each_option(egeria& policy, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("window", policy.window, 2, most, "decisions to average over, and to fit the slope to");
    visit("tolerance", policy.tolerance, 0, most, "a slope is flat below this share of the steepest");
    visit("patience", policy.patience, 1, most, "decisions in a row at which it must be flat");
    visit("rate_drop", policy.rate_drop, 1, most, "everything thaws when the rate falls by this factor");
}

template <class Visitor>
void for_each_option(grades& policy, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("grace", policy.grace, 0, 1, "share of the run in which nothing freezes");
    visit("below_peak", policy.below_peak, 0, most, "freezes below this share of the block's highest score");
    visit("threshold", policy.threshold, 0, most, "and below this score");
}

template <class Visitor>
void for_each_option(layer_out& policy, const Visitor& visit) {
    visit("first", policy.first, 0, 1, "probability that the first block freezes in an epoch");
    visit("last", policy.last, 0, 1, "the same of the last block in front of the head");
    visit("warm_up", policy.warm_up, 0, 1, "share of the run in which nothing freezes");
    visit("seed", policy.seed, 0, 1e15, "of the random draws");
}

template <class Visitor>
void for_each_option(svcca_freeze& policy, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("threshold", policy.threshold, 0, 1, "highest score that counts as converged");
    visit("patience", policy.patience, 1, most, "decisions in a row at which it must be below");
}

template <class Visitor>
void for_each_option(sim_freeze& policy, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("tolerance", policy.tolerance, 0, most, "relative change of the similarity that counts as settled");
    visit("patience", policy.patience, 1, most, "decisions in a row at which it must be settled");
    visit("loss_rise", policy.loss_rise, 1, most, "everything thaws when the loss rises by this factor");
}

template <class Visitor>
void for_each_option(budget& policy, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("share", policy.share, 0, 1, "of the FLOPs of the run without freezing");
    visit("seconds", policy.seconds, 0, most, "above 0: of training time, in place of FLOPs");
}

}  // namespace frostline
