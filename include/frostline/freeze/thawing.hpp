// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A reason to thaw: `reason(view) -> std::size_t`, the number of decisions up to the last one that gave it,
/// that one included; 0 if none did. A pure function of the view.
template <class F>
concept reason_to_thaw = requires(const F f, const training_view& view) {
    { f(view) } -> std::convertible_to<std::size_t>;
};

/// Stops compilation with one sentence when `F` is no reason to thaw.
template <class F>
consteval bool explain_reason_to_thaw() {
    static_assert(
        reason_to_thaw<F>,
        "frostline: a reason to thaw must be callable when const with a training_view, returning the "
        "number of decisions up to the last that gave it");
    return true;
}

namespace when {

/// The number of values up to the last that is more than `factor` times the lowest since the one before it;
/// 0 where there is none. Absent values are passed over.
template <class Value>
std::size_t last_rise(std::size_t count, double factor, const Value& value) {
    std::size_t values = 0;
    std::optional<double> lowest;
    for (std::size_t i = 0; i < count; ++i) {
        const std::optional<double> now = value(i);
        if (!now) continue;
        if (lowest && *now > factor * *lowest) {
            values = i + 1;
            lowest = now;
        } else {
            lowest = std::min(*now, lowest.value_or(*now));
        }
    }
    return values;
}

/// The learning rate has fallen `factor`-fold from its highest since the last such fall, or since the start.
struct rate_drops {
    double factor = 10;

    std::size_t operator()(const training_view& view) const {
        std::size_t falls_until = 0;
        double highest = 0;
        for (std::size_t i = 0; i < view.learning_rates.size(); ++i) {
            const double rate = view.learning_rates[i];
            // A hair of tolerance: 0.1 * 0.1 is more than 0.01.
            if (highest > 0 && rate * factor <= highest * (1 + 1e-9)) {
                falls_until = i + 1;
                highest = rate;
            }
            highest = std::max(highest, rate);
        }
        return falls_until;
    }
};

/// The training loss is more than `factor` times the lowest since the last such rise: the data have changed.
struct loss_rises {
    double factor = 1.5;

    std::size_t operator()(const training_view& view) const {
        return last_rise(view.train_losses.size(), factor,
                         [&](std::size_t i) { return std::optional(view.train_losses[i]); });
    }
};

/// The score of the head is more than `factor` times its lowest since the last such rise: what the network
/// gives for the probe batch changes again, where the scorer is activation_change. The head never freezes, so
/// it has a score at each decision.
struct score_rises {
    double factor = 3;

    std::size_t operator()(const training_view& view) const {
        return last_rise(view.scores.size(), factor, [&](std::size_t i) {
            const auto& scores = view.scores[i];
            return scores.empty() ? std::nullopt : scores[view.last_freezable];
        });
    }
};

}  // namespace when

/// The share of the run from one decision to the next, as they have come so far.
inline double share_of_interval(const training_view& view) {
    if (view.steps > 0 && !view.scores.empty())
        return static_cast<double>(view.step - view.first_step) / static_cast<double>(view.scores.size()) /
               static_cast<double>(view.steps);
    return 1.0 / static_cast<double>(std::max<std::size_t>(1, view.epochs));
}

/// The view without its first `decisions` decisions: what a policy sees that starts anew there.
inline training_view since(training_view view, std::size_t decisions) {
    if (decisions > 0 && !view.scores.empty()) {
        const std::size_t past = std::min(decisions, view.scores.size());
        view.began =
            view.progress() - static_cast<double>(view.scores.size() - past) * share_of_interval(view);
        view.first_step += (view.step - view.first_step) * past / view.scores.size();
    }
    const auto drop = [&](auto values) { return values.subspan(std::min(decisions, values.size())); };
    view.scores = drop(view.scores);
    view.train_losses = drop(view.train_losses);
    view.learning_rates = drop(view.learning_rates);
    return view;
}

/// A policy that thaws every block when `reason` says so, and is `inner` otherwise, which sees only what
/// happened since then.
template <class Reason, class Inner>
class thaw_on {
    static_assert(reason_to_thaw<Reason> || explain_reason_to_thaw<Reason>());
    static_assert(freezing_policy<Inner> || explain_freezing_policy<Inner>());

public:
    static constexpr bool thaws = true;
    std::string scorer;

    thaw_on(Reason reason, Inner inner)
        : scorer(scorer_of(inner)), reason_(std::move(reason)), inner_(std::move(inner)) {}

    frozen_blocks operator()(const training_view& view) const {
        const std::size_t past = reason_(view);
        if (past > 0 && past >= view.scores.size()) return 0;
        return inner_(since(view, past));
    }

    frozen_blocks at_start(const training_view& view) const { return frozen_at_start(inner_, view); }

    double learning_rate(const rate_view& now) const requires sets_learning_rates<Inner> {
        return inner_.learning_rate(now);
    }

private:
    Reason reason_;
    Inner inner_;
};

/// A policy that thaws every block for the last `share` of the run, and multiplies all rates by `factor`
/// then: what froze early adapts to what was learnt behind it. Where that share begins between two decisions,
/// the first of them thaws.
/// @throws argument_error for a share outside [0, 1], or a factor that is negative or not finite
template <class Inner>
class end_resume {
    static_assert(freezing_policy<Inner> || explain_freezing_policy<Inner>());

public:
    static constexpr bool thaws = true;
    std::string scorer;

    explicit end_resume(Inner inner, double share = 0.1, double factor = 0.1)
        : scorer(scorer_of(inner)), inner_(std::move(inner)), share_(share), factor_(factor) {
        require<argument_error>(share >= 0 && share <= 1, "end_resume thaws for the share ", share,
                                " of the run, expected one from 0 to 1");
        require<argument_error>(factor >= 0 && std::isfinite(factor), "end_resume multiplies rates by ",
                                factor, ", expected a factor that is finite and not negative");
    }

    frozen_blocks operator()(const training_view& view) const {
        return thaws_now(view) ? frozen_blocks() : inner_(view);
    }

    frozen_blocks at_start(const training_view& view) const {
        return thaws_now(view) ? frozen_blocks() : frozen_at_start(inner_, view);
    }

    double learning_rate(const rate_view& now) const {
        double rate = now.rate;
        if constexpr (sets_learning_rates<Inner>) rate = inner_.learning_rate(now);
        if (!in_last_share(static_cast<double>(now.step) /
                           static_cast<double>(std::max<std::size_t>(1, now.steps))))
            return rate;
        // Thawing would change nothing where the inner policy has taken a block's rate to zero, as freeze_out
        // does.
        return factor_ * (rate > 0 ? rate : now.rate);
    }

private:
    // The last share begins at this decision, or before the next.
    bool thaws_now(const training_view& view) const {
        return view.progress() + share_of_interval(view) > 1 - share_ + 1e-9;
    }
    bool in_last_share(double progress) const { return progress >= 1 - share_ - 1e-9; }

    Inner inner_;
    double share_;
    double factor_;
};

/// A policy that lets only the head learn for the first `share` of the run, then thaws every block and is
/// `inner`, which sees only what happened since then: a new head on trained weights no longer spoils what
/// they have learnt (Kumar et al. 2022, arXiv 2202.10054).
/// @throws argument_error for a share outside [0, 1]
template <class Inner>
class head_first {
    static_assert(freezing_policy<Inner> || explain_freezing_policy<Inner>());

public:
    static constexpr bool thaws = true;
    std::string scorer;

    explicit head_first(Inner inner, double share = 0.1)
        : scorer(scorer_of(inner)), inner_(std::move(inner)), share_(share) {
        require<argument_error>(share >= 0 && share <= 1, "head_first lasts for the share ", share,
                                " of the run, expected one from 0 to 1");
    }

    frozen_blocks operator()(const training_view& view) const {
        if (view.progress() < share_ - 1e-9) return view.last_freezable;
        // Decisions on intervals that began within the share are of the head alone. That blocks have no
        // scores does not tell: the inner policy may have frozen them, or the scorer have no evidence.
        const double interval = share_of_interval(view);
        const std::size_t decisions = view.scores.size();
        std::size_t past = 0;
        while (past < decisions &&
               view.progress() - static_cast<double>(decisions - past) * interval < share_ - 1e-9)
            ++past;
        if (past > 0 && past == decisions) return 0;
        return inner_(since(view, past));
    }

    frozen_blocks at_start(const training_view& view) const {
        return share_ > 0 ? frozen_blocks(view.last_freezable) : frozen_at_start(inner_, view);
    }

    double learning_rate(const rate_view& now) const requires sets_learning_rates<Inner> {
        return inner_.learning_rate(now);
    }

private:
    Inner inner_;
    double share_;
};

}  // namespace frostline
