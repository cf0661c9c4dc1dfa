// SPDX-License-Identifier: MIT
// expect: frostline: a scorer must be callable with a block_view, returning std::optional<double>
#include "frostline/concepts/scorer.hpp"

struct talkative {
    static constexpr frostline::observations observes{.gradient_sum = true};

    template <class T>
    const char* operator()(const frostline::block_view<T>&) const {
        return "converged";
    }
};
static_assert(frostline::explain_scorer<talkative, float>());
