// SPDX-License-Identifier: MIT
// expect: frostline: a scorer needs a member observes of type observations
#include "frostline/concepts/scorer.hpp"

struct forgetful {
    template <class T>
    std::optional<double> operator()(const frostline::block_view<T>&) const {
        return std::nullopt;
    }
};
static_assert(frostline::explain_scorer<forgetful, float>());
