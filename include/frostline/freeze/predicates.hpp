// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/freeze/trends.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// A question about one block: `predicate(view, block, decision) -> bool`, about its values at that decision.
/// What is asked of the run (`warm_up`) or of all decisions so far (`below_peak`) is answered as of now. A
/// pure function of the view; a lambda is a predicate.
template <class F>
concept block_predicate = requires(const F f, const training_view& view, std::size_t block) {
    { f(view, block, block) } -> std::same_as<bool>;
};

/// Stops compilation with one sentence when `F` is no predicate.
template <class F>
consteval bool explain_block_predicate() {
    static_assert(block_predicate<F>,
                  "frostline: a predicate must be callable when const with (training_view, block, decision), "
                  "returning bool");
    return true;
}

namespace when {

/// A predicate that can be joined to others by &&, || and !.
template <block_predicate F>
struct predicate : F {
    explicit constexpr predicate(F f) : F(std::move(f)) {}
};

template <class F, class G>
constexpr auto operator&&(predicate<F> first, G second) {
    static_assert(block_predicate<G> || explain_block_predicate<G>());
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        return first(view, block, decision) && second(view, block, decision);
    }};
}
template <class F, class G>
constexpr auto operator||(predicate<F> first, G second) {
    static_assert(block_predicate<G> || explain_block_predicate<G>());
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        return first(view, block, decision) || second(view, block, decision);
    }};
}
/// Holds without evidence, too: where an absent score must freeze nothing, join it to a comparison.
template <class F>
constexpr auto operator!(predicate<F> inner) {
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        return !inner(view, block, decision);
    }};
}

/// Whether a trend has a value, below a limit: `score < 0.1`. An absent value is neither below nor above.
template <class F>
constexpr auto operator<(trend<F> value, double limit) {
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        const std::optional<double> found = value(view, block, decision);
        return found && *found < limit;
    }};
}
template <class F>
constexpr auto operator>(trend<F> value, double limit) {
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        const std::optional<double> found = value(view, block, decision);
        return found && *found > limit;
    }};
}

/// The score is below `limit`.
constexpr auto below(double limit) { return score < limit; }

/// The value is below `ratio` times the block's highest of all decisions so far.
template <class Inner = decltype(score)>
constexpr auto below_peak(double ratio, Inner inner = score) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        const std::optional<double> now = inner(view, block, decision);
        if (!now) return false;
        double peak = 0;
        for (std::size_t i = 0; i < view.scores.size(); ++i)
            peak = std::max(peak, std::optional<double>(inner(view, block, i)).value_or(peak));
        return *now < ratio * peak;
    }};
}

/// The value is below the `q`-th percentile (q in [0, 100], linear interpolation, as NumPy's) of those of all
/// blocks that have one, the head left out. @throws argument_error for another q
template <class Inner = decltype(score)>
constexpr auto percentile(double q, Inner inner = score) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    require<argument_error>(q >= 0 && q <= 100, "percentile: q is ", q, ", expected a number from 0 to 100");
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        const std::optional<double> now = inner(view, block, decision);
        if (!now) return false;
        std::vector<double> values;
        for (std::size_t i = 0; i < view.last_freezable; ++i)
            if (const std::optional<double> value = inner(view, i, decision)) values.push_back(*value);
        if (values.empty()) return false;
        std::sort(values.begin(), values.end());
        const double place = q / 100 * static_cast<double>(values.size() - 1);
        const auto lower = static_cast<std::size_t>(place);
        const std::size_t upper = std::min(lower + 1, values.size() - 1);
        return *now < values[lower] + (place - static_cast<double>(lower)) * (values[upper] - values[lower]);
    }};
}

/// The trend stays within `tolerance` of what it was one decision before, relatively.
template <class Inner = decltype(score)>
constexpr auto plateau(double tolerance, Inner inner = score) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return relative_change(inner) < tolerance;
}

/// `inner` holds at the last `decisions` decisions in a row, this one included.
/// @throws argument_error for no decisions: that would hold without evidence
template <class Inner>
constexpr auto patience(std::size_t decisions, Inner inner) {
    static_assert(block_predicate<Inner> || explain_block_predicate<Inner>());
    require<argument_error>(decisions > 0, "patience: found 0 decisions, expected 1 or more");
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        if (decision + 1 < decisions) return false;
        for (std::size_t i = decision + 1 - decisions; i <= decision; ++i)
            if (!inner(view, block, i)) return false;
        return true;
    }};
}

/// `inner` holds now, and at `decisions` decisions in all so far, now included. One bad epoch does not start
/// the count again.
template <class Inner>
constexpr auto patience_in_all(std::size_t decisions, Inner inner) {
    static_assert(block_predicate<Inner> || explain_block_predicate<Inner>());
    return predicate{[=](const training_view& view, std::size_t block, std::size_t decision) -> bool {
        if (!inner(view, block, decision)) return false;
        std::size_t held = 0;
        for (std::size_t i = 0; i <= decision; ++i) held += inner(view, block, i) ? 1 : 0;
        return held >= decisions;
    }};
}

/// The share `fraction` of the run is over.
constexpr auto warm_up(double fraction) {
    return predicate{[=](const training_view& view, std::size_t, std::size_t) -> bool {
        // A hair of tolerance: 0.07 * 100 is more than 7.
        return view.progress() >= fraction - 1e-9;
    }};
}

/// `decisions` decisions have passed since the frost line last rose, for freeze_prefix. It is read off the
/// scores: those of the last frozen block are absent from the decision after it froze.
constexpr auto cool_down(std::size_t decisions) {
    return predicate{[=](const training_view& view, std::size_t, std::size_t) -> bool {
        if (view.frozen == 0) return true;
        std::size_t passed = 0;
        for (auto scores = view.scores.rbegin(); scores != view.scores.rend(); ++scores, ++passed)
            if ((*scores)[view.frozen - 1]) break;
        return passed >= decisions;
    }};
}

/// No more than `blocks` leading blocks freeze at one decision: for freeze_prefix, since blocks farther
/// behind the frost line do not freeze at all.
constexpr auto at_most(std::size_t blocks) {
    return predicate{[=](const training_view& view, std::size_t block, std::size_t) -> bool {
        return block < view.frozen || block - view.frozen < blocks;
    }};
}

/// The share `fraction` of the learning blocks, rounded up, stays active at the output end.
/// @throws argument_error for a share outside [0, 1]
template <std::floating_point Share>
constexpr auto keep_active(Share fraction) {
    require<argument_error>(fraction >= 0 && fraction <= 1, "keep_active: the share is ", fraction,
                            ", expected a number from 0 to 1");
    return predicate{[=](const training_view& view, std::size_t block, std::size_t) -> bool {
        const auto kept = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(view.blocks)));
        return block < view.blocks - std::min(view.blocks, kept);
    }};
}

/// So many learning blocks stay active at the output end.
template <std::integral Count>
constexpr auto keep_active(Count blocks) {
    require<argument_error>(std::cmp_greater_equal(blocks, 0), "keep_active: the number of blocks is ",
                            blocks, ", expected 0 or more");
    return predicate{[=](const training_view& view, std::size_t block, std::size_t) -> bool {
        return block < view.blocks - std::min(view.blocks, static_cast<std::size_t>(blocks));
    }};
}

}  // namespace when

/// A policy: freezes the leading blocks for which `predicate` holds at this decision, up to the first for
/// which it does not. What is frozen stays frozen.
template <class Predicate>
constexpr auto freeze_prefix(Predicate predicate) {
    static_assert(block_predicate<Predicate> || explain_block_predicate<Predicate>());
    return [=](const training_view& view) -> std::size_t {
        std::size_t frozen = view.frozen;
        if (view.scores.empty()) return frozen;
        while (frozen < view.last_freezable && predicate(view, frozen, view.scores.size() - 1)) ++frozen;
        return frozen;
    };
}

/// A policy: freezes every block for which `predicate` holds at this decision, wherever it lies. What is
/// frozen stays frozen.
template <class Predicate>
constexpr auto freeze_each(Predicate predicate) {
    static_assert(block_predicate<Predicate> || explain_block_predicate<Predicate>());
    return [=](const training_view& view) {
        frozen_blocks frozen(view.frozen);
        for (const std::size_t block : view.frozen_behind) frozen.insert(block);
        if (view.scores.empty()) return frozen;
        for (std::size_t block = view.frozen; block < view.last_freezable; ++block)
            if (predicate(view, block, view.scores.size() - 1)) frozen.insert(block);
        return frozen;
    };
}

}  // namespace frostline
