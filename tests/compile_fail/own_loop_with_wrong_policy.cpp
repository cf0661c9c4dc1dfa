// SPDX-License-Identifier: MIT
// expect: frostline: a freezing policy must return how many leading learning blocks to freeze
#include "frostline/freeze/scorers/weight_change.hpp"
#include "frostline/models/lenet.hpp"
#include "frostline/train/decision_history.hpp"

using network = decltype(frostline::lenet5<float>({28, 28, 1}, 10));
struct talks {
    const char* operator()(const frostline::training_view&) const { return "none"; }
};
template class frostline::decision_history<network, frostline::weight_change, talks>;
