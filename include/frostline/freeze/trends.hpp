// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// What can be read off the scores of one block: `trend(view, block, decision) -> std::optional<double>`, as
/// it was at that decision; absent without evidence. A pure function of the view; a lambda is a trend.
template <class F>
concept score_trend = requires(const F f, const training_view& view, std::size_t block) {
    { f(view, block, block) } -> std::convertible_to<std::optional<double>>;
};

/// Stops compilation with one sentence when `F` is no trend.
template <class F>
consteval bool explain_score_trend() {
    static_assert(score_trend<F>,
                  "frostline: a trend must be callable when const with (training_view, block, decision), "
                  "returning std::optional<double>");
    return true;
}

/// The words that freezing policies are composed of: trends, predicates, and reasons to thaw.
namespace when {

/// A trend that takes part in comparisons: `slope(score, 3) < 0.1`.
template <score_trend F>
struct trend : F {
    explicit constexpr trend(F f) : F(std::move(f)) {}
};

/// The score itself.
inline constexpr trend score{
    [](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
        return view.scores[decision][block];
    }};

/// The mean training loss since the decision before; the same for every block.
inline constexpr trend train_loss{[](const training_view& view, std::size_t,
                                     std::size_t decision) -> std::optional<double> {
    return decision < view.train_losses.size() ? std::optional(view.train_losses[decision]) : std::nullopt;
}};

/// How far the weights would still move at the pace of the score, over the learning rate that the schedule
/// has left now, of whichever decision the score is: score * rate left. For scores by learning rate, such as
/// weight_change.
inline constexpr trend distance_left{
    [](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
        const auto now = view.scores[decision][block];
        return now ? std::optional(*now * view.learning_rate_left) : std::nullopt;
    }};

/// The same as a share of the way that the block has gone, the sum of score * learning rate sum over the
/// decisions so far. Free of scale: neither the length of an epoch nor the height of the learning rate
/// counts, both distances grow with them. Absent where nothing has moved.
inline constexpr trend share_left{
    [](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
        const std::optional<double> left = distance_left(view, block, decision);
        if (!left) return std::nullopt;
        double gone = 0;
        for (std::size_t i = 0; i <= decision; ++i)
            gone += view.scores[i][block].value_or(0) * view.learning_rates[i];
        gone *= static_cast<double>(view.step - view.first_step) / static_cast<double>(view.scores.size());
        return gone > 0 ? std::optional(*left / gone) : std::nullopt;
    }};

/// The mean of the last `window` decisions; absent unless all of them have a value.
template <class Inner>
constexpr auto smoothed(Inner inner, std::size_t window) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return trend{
        [=](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
            if (window == 0 || decision + 1 < window) return std::nullopt;
            double sum = 0;
            for (std::size_t i = decision + 1 - window; i <= decision; ++i) {
                const std::optional<double> value = inner(view, block, i);
                if (!value) return std::nullopt;
                sum += *value;
            }
            return sum / static_cast<double>(window);
        }};
}

/// The slope of the least-squares line through the last `window` decisions, per decision; absent unless all
/// of them have a value.
template <class Inner>
constexpr auto slope(Inner inner, std::size_t window) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return trend{
        [=](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
            if (window < 2 || decision + 1 < window) return std::nullopt;
            const double middle = static_cast<double>(window - 1) / 2;
            double above = 0, below = 0;
            for (std::size_t i = 0; i < window; ++i) {
                const std::optional<double> value = inner(view, block, decision + 1 - window + i);
                if (!value) return std::nullopt;
                const double x = static_cast<double>(i) - middle;
                above += x * *value;
                below += x * x;
            }
            return above / below;
        }};
}

/// The absolute value.
template <class Inner>
constexpr auto size_of(Inner inner) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return trend{
        [=](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
            const std::optional<double> value = inner(view, block, decision);
            return value ? std::optional(std::abs(*value)) : std::nullopt;
        }};
}

/// The change since the decision before, relative to the value then: |now - before| / |before|. Small means a
/// plateau.
template <class Inner>
constexpr auto relative_change(Inner inner) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return trend{
        [=](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
            if (decision == 0) return std::nullopt;
            const std::optional<double> before = inner(view, block, decision - 1);
            const std::optional<double> now = inner(view, block, decision);
            if (!before || !now || *before == 0) return std::nullopt;
            return std::abs(*now - *before) / std::abs(*before);
        }};
}

/// What would still be added up if the value went on shrinking as it did over the last `window` decisions, by
/// geometric extrapolation: v r / (1 - r) with r = (v / v')^(1 / window), v' the value `window` decisions
/// ago. Absent where it does not shrink.
template <class Inner>
constexpr auto remaining(Inner inner, std::size_t window = 1) {
    static_assert(score_trend<Inner> || explain_score_trend<Inner>());
    return trend{
        [=](const training_view& view, std::size_t block, std::size_t decision) -> std::optional<double> {
            if (window == 0 || decision < window) return std::nullopt;
            const std::optional<double> before = inner(view, block, decision - window);
            const std::optional<double> now = inner(view, block, decision);
            if (!before || !now || *now < 0 || *before <= *now) return std::nullopt;
            const double ratio = std::pow(*now / *before, 1 / static_cast<double>(window));
            return *now * ratio / (1 - ratio);
        }};
}

}  // namespace when

}  // namespace frostline
