// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a scorer is shown in an invented run: two blocks that slow down over several decisions.
template <class T>
class scorer_trace {
public:
    static constexpr std::size_t blocks = 2, decisions = 6;

    /// Random values of about this size; not even that with `still`, where every one of a kind is equal and
    /// nothing changes.
    scorer_trace(const observations& observed, std::uint64_t seed, double scale, bool still = false)
        : observed_(observed) {
        for (std::size_t block = 0; block < blocks; ++block) {
            const std::size_t size = 40 + 24 * block;
            moment last{std::vector<T>(size), std::vector<T>(size), std::vector<T>(size),
                        std::vector<T>(samples() * positions * channels)};
            for (std::size_t time = 0; time <= decisions; ++time) {
                std::uint64_t kind = 0;
                for (auto* values : {&last.weights, &last.gradient_sum, &last.gradient, &last.outputs}) {
                    const random_stream draws(seed, purpose::user, 1000 * block + time, kind++);
                    for (std::size_t i = 0; i < values->size(); ++i)
                        (*values)[i] = static_cast<T>(
                            still ? scale
                                  : (time == 0 ? 0 : static_cast<double>((*values)[i])) +
                                        scale * draws.normal(i) / static_cast<double>(1 + time));
                }
                moments_[block].push_back(last);
            }
        }
    }

    /// What the scorer sees of a block at a decision, and no more than it observes.
    block_view<T> view(std::size_t block, std::size_t decision) const {
        const auto& now = moments_[block][decision + 1];
        const auto& before = moments_[block][decision];
        block_view<T> seen{.block = block,
                           .decision = decision,
                           .weights = now.weights,
                           .learning_rate_sum = 0.5,
                           .steps = steps,
                           .parameters = now.weights.size()};
        if (observed_.previous_weights) seen.previous_weights = before.weights;
        if (observed_.initial_weights) seen.initial_weights = moments_[block].front().weights;
        if (observed_.path_every > 0) {
            for (std::size_t i = 0; i < now.weights.size(); ++i)
                seen.path_length += 2 * std::abs(static_cast<double>(now.weights[i]) -
                                                 static_cast<double>(before.weights[i]));
        }
        if (observed_.gradient_sum) seen.gradient_sum = now.gradient_sum;
        if (observed_.gradient_pair) {
            seen.gradient = now.gradient;
            seen.previous_gradient = before.gradient;
        }
        if (observed_.probe_samples > 0) {
            seen.probe_samples = samples();
            seen.channels = channels;
            seen.outputs = now.outputs;
            const bool earlier = observed_.reference.of == probe_reference::kind::earlier;
            const std::size_t ago = earlier ? observed_.reference.decisions : decision + 1;
            if (ago <= decision + 1) seen.reference_outputs = moments_[block][decision + 1 - ago].outputs;
        }
        return seen;
    }

    /// A part of a view that is there only where it is observed.
    struct part {
        std::string_view name;
        bool (*is_observed)(const observations&);
        void (*show)(block_view<T>& to, const block_view<T>& from);
    };
    static constexpr part parts[] = {
        {"previous_weights", [](const observations& observed) { return observed.previous_weights; },
         [](block_view<T>& to, const block_view<T>& from) { to.previous_weights = from.previous_weights; }},
        {"initial_weights", [](const observations& observed) { return observed.initial_weights; },
         [](block_view<T>& to, const block_view<T>& from) { to.initial_weights = from.initial_weights; }},
        {"path_length", [](const observations& observed) { return observed.path_every > 0; },
         [](block_view<T>& to, const block_view<T>& from) { to.path_length = from.path_length; }},
        {"gradient_sum", [](const observations& observed) { return observed.gradient_sum; },
         [](block_view<T>& to, const block_view<T>& from) { to.gradient_sum = from.gradient_sum; }},
        {"gradients", [](const observations& observed) { return observed.gradient_pair; },
         [](block_view<T>& to, const block_view<T>& from) {
             to.gradient = from.gradient;
             to.previous_gradient = from.previous_gradient;
         }},
        {"outputs", [](const observations& observed) { return observed.probe_samples > 0; },
         [](block_view<T>& to, const block_view<T>& from) {
             to.probe_samples = from.probe_samples;
             to.channels = from.channels;
             to.outputs = from.outputs;
             to.reference_outputs = from.reference_outputs;
         }},
    };

    /// The same, and what the scorer does not observe from `rest`, which observes everything; `different`,
    /// if any, from `other`.
    block_view<T> view_beside(std::size_t block, std::size_t decision, const scorer_trace& rest,
                              const scorer_trace& other, const part* different) const {
        auto seen = view(block, decision);
        const auto usual = rest.view(block, decision), others = other.view(block, decision);
        for (const part& each : parts)
            if (!each.is_observed(observed_)) each.show(seen, &each == different ? others : usual);
        return seen;
    }

    /// The first decision of a run that has not made a step yet.
    block_view<T> view_without_evidence(std::size_t block) const {
        auto seen = view(block, 0);
        const auto& start = moments_[block].front().weights;
        seen.weights = start;
        if (observed_.previous_weights) seen.previous_weights = start;
        seen.learning_rate_sum = seen.path_length = 0;
        seen.steps = 0;
        if (observed_.gradient_sum) seen.gradient_sum = zeros_;
        seen.gradient = seen.previous_gradient = seen.reference_outputs = {};
        seen.gradient_sum = seen.gradient_sum.first(std::min(seen.gradient_sum.size(), start.size()));
        return seen;
    }

private:
    static constexpr std::size_t steps = 4, positions = 3, channels = 4;

    struct moment {
        std::vector<T> weights, gradient_sum, gradient, outputs;
    };

    std::size_t samples() const { return std::min<std::size_t>(observed_.probe_samples, 12); }

    observations observed_;
    std::vector<moment> moments_[blocks];  // of each block: the start, then every decision
    std::vector<T> zeros_ = std::vector<T>(1000);
};

/// Tests on invented runs that a scorer keeps what scorer.hpp asks of it, beyond what compiles: the same
/// views give the same scores, in a second run too; copies and blocks share no state; for_each_state shows
/// all of it; without evidence there is no score; no weights, gradients or outputs make a score NaN, be
/// they zero, constant or huge; and it reads nothing that it does not observe, which would not be there in a
/// run.
/// @return one sentence for each promise that is broken, none where all are kept
template <class T = float, class Scorer>
std::vector<std::string> check_scorer(const Scorer& checked, std::uint64_t seed = 0) {
    static_assert(scorer<Scorer, T> || explain_scorer<Scorer, T>());
    using trace = scorer_trace<T>;
    using scores = std::map<std::size_t, std::vector<std::optional<double>>>;  // by block
    std::vector<std::string> problems;
    const observations observed = checked.observes;
    const trace run(observed, seed, 1), other_run(observed, seed + 1, 1);
    constexpr std::size_t half = trace::decisions / 2;

    const auto ask = [](Scorer& asked, const trace& shown, std::size_t first, std::size_t last,
                        std::size_t first_block = 0) {
        scores given;
        for (std::size_t decision = first; decision < last; ++decision)
            for (std::size_t block = first_block; block < trace::blocks; ++block)
                given[block].push_back(asked(shown.view(block, decision)));
        return given;
    };
    // First of all: where nothing is, reading it is undefined, and may end the program.
    constexpr observations everything{.previous_weights = true,
                                      .initial_weights = true,
                                      .path_every = 1,
                                      .gradient_sum = true,
                                      .gradient_pair = true,
                                      .probe_samples = 12};
    const trace rest(everything, seed + 2, 1), other_rest(everything, seed + 3, 1);
    const auto scores_beside = [&](const typename trace::part* different) {
        Scorer asked = checked;
        std::vector<std::optional<double>> given;
        for (std::size_t decision = 0; decision < trace::decisions; ++decision)
            for (std::size_t block = 0; block < trace::blocks; ++block) {
                given.push_back(asked(run.view_beside(block, decision, rest, other_rest, different)));
                if (given.back() && std::isnan(*given.back())) given.back() = std::nullopt;
            }
        return given;
    };
    const auto usual = scores_beside(nullptr);
    const bool repeats = scores_beside(nullptr) == usual;  // else that is told below
    for (const auto& part : trace::parts)
        if (repeats && scores_beside(&part) != usual)
            problems.push_back(sentence("the scorer reads ", part.name,
                                        ", but its observes does not ask for that: in a run it is empty"));
    if (!problems.empty()) return problems;

    Scorer original = checked;
    const scores whole = ask(original, run, 0, trace::decisions);
    // `given` starts at decision `first` of `whole`.
    const auto compare = [&](const scores& given, std::size_t first, std::string_view broken) {
        for (const auto& [block, of_block] : given) {
            for (std::size_t i = 0; i < of_block.size(); ++i) {
                const auto& expected = whole.at(block)[first + i];
                const bool both_nan =
                    expected && of_block[i] && std::isnan(*expected) && std::isnan(*of_block[i]);
                if (of_block[i] == expected || both_nan) continue;
                const auto text = [](const std::optional<double>& score) {
                    return score ? sentence(*score) : std::string("no score");
                };
                problems.push_back(sentence(broken, ": decision ", first + i, " of block ", block, " gives ",
                                            text(of_block[i]), ", expected ", text(expected)));
                return;
            }
        }
    };

    Scorer again = checked;
    compare(ask(again, run, 0, trace::decisions), 0, "the same views do not give the same scores");
    compare(ask(again, run, 0, trace::decisions), 0, "a second run does not start without a past");

    Scorer alone = checked;
    compare(ask(alone, run, 0, trace::decisions, 1), 0,
            "the scores of a block depend on the blocks before it");

    Scorer halfway = checked;
    ask(halfway, run, 0, half);
    Scorer restored = checked;
    if constexpr (requires { restored.for_each_state([](std::string_view, std::vector<double>&) {}); }) {
        std::map<std::string, std::vector<double>, std::less<>> saved;
        halfway.for_each_state(
            [&](std::string_view name, std::vector<double>& values) { saved[std::string(name)] = values; });
        restored.for_each_state(
            [&](std::string_view name, std::vector<double>& values) { values = saved[std::string(name)]; });
    }
    compare(ask(restored, run, half, trace::decisions), half,
            "a scorer that is restored in the middle of a run does not go on as before, so for_each_state "
            "does not "
            "show all of its state");
    Scorer copy = halfway;
    ask(copy, other_run, half, trace::decisions);
    compare(ask(halfway, run, half, trace::decisions), half, "copies share state");

    Scorer early = checked;
    for (std::size_t block = 0; block < trace::blocks; ++block) {
        if (const auto score = early(run.view_without_evidence(block))) {
            problems.push_back(sentence("a score without evidence: before the first step block ", block,
                                        " gives ", *score, ", expected std::nullopt"));
            break;
        }
    }

    const struct {
        std::string_view name;
        trace shown;
    } kinds[] = {{"of usual size", run},
                 {"all zero", trace(observed, seed, 0, true)},
                 {"constant", trace(observed, seed, 1, true)},
                 {"tiny", trace(observed, seed, 1e-30)},
                 {"huge", trace(observed, seed, 1e30)}};
    for (const auto& kind : kinds) {
        Scorer asked = checked;
        for (const auto& [block, of_block] : ask(asked, kind.shown, 0, trace::decisions)) {
            if (std::none_of(of_block.begin(), of_block.end(),
                             [](const auto& score) { return score && std::isnan(*score); }))
                continue;
            problems.push_back(
                sentence("a score is NaN where weights, gradients and outputs are ", kind.name));
            break;
        }
    }
    return problems;
}

}  // namespace frostline
