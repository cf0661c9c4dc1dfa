// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/named_options.hpp"
#include "frostline/freeze/any_scorer.hpp"
#include "frostline/freeze/scorers/activation_change.hpp"
#include "frostline/freeze/scorers/effective_perturbation.hpp"
#include "frostline/freeze/scorers/gradient_change.hpp"
#include "frostline/freeze/scorers/gradient_delta.hpp"
#include "frostline/freeze/scorers/gradient_norm.hpp"
#include "frostline/freeze/scorers/linear_cka.hpp"
#include "frostline/freeze/scorers/path_ratio.hpp"
#include "frostline/freeze/scorers/sensitivity_uncertainty.hpp"
#include "frostline/freeze/scorers/similarity_preserving_loss.hpp"
#include "frostline/freeze/scorers/svcca.hpp"
#include "frostline/freeze/scorers/weight_change.hpp"
#include "frostline/freeze/scorers/weight_cosine.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// The scorer that `text` names, "NAME" or "NAME:KEY=VALUE,...":
///
/// | name | keys |
/// |---|---|
/// | weight_change | measure (relative_l2, mean_l1, raw_l1), per_learning_rate (no, yes) |
/// | weight_cosine | since (last_decision, start) |
/// | path_ratio | every |
/// | effective_perturbation | smoothing |
/// | gradient_norm | |
/// | gradient_change | |
/// | gradient_delta | |
/// | sensitivity_uncertainty | sensitivity_smoothing, uncertainty_smoothing |
/// | activation_change, similarity_preserving_loss, linear_cka, svcca | samples, reference, decisions |
/// | svcca, too | variance |
///
/// with the references earlier and initial.
///
/// @throws argument_error for an unknown name, key or word, and for numbers out of range
template <class T>
any_scorer<T> named_scorer(std::string_view text) {
    using namespace std::string_view_literals;
    named_options options(text);
    const auto named = [&](auto scorer) {
        options.require_all_used();
        return any_scorer<T>(options.name(), std::move(scorer));
    };
    const auto probe = [&] {
        probe_options chosen;
        chosen.samples = options.count("samples", chosen.samples, 2);
        const bool initial = options.choice("reference", std::array{"earlier"sv, "initial"sv}, 0) == 1;
        const std::size_t decisions = options.count("decisions", 1, 1);
        chosen.reference = initial ? probe_reference::initial() : probe_reference::decisions_ago(decisions);
        return chosen;
    };
    if (options.name() == "weight_change") {
        weight_change scorer;
        scorer.measure = std::array{change_measure::relative_l2, change_measure::mean_l1,
                                    change_measure::raw_l1}[options.choice(
            "measure", std::array{"relative_l2"sv, "mean_l1"sv, "raw_l1"sv}, 0)];
        scorer.per_learning_rate = options.choice("per_learning_rate", std::array{"no"sv, "yes"sv}, 1) == 1;
        return named(scorer);
    }
    if (options.name() == "weight_cosine") {
        using since = weight_cosine::since;
        return named(weight_cosine(options.choice("since", std::array{"last_decision"sv, "start"sv}, 0) == 1
                                       ? since::start
                                       : since::last_decision));
    }
    if (options.name() == "path_ratio") return named(path_ratio(options.count("every", 8, 1)));
    if (options.name() == "effective_perturbation")
        return named(effective_perturbation(options.number("smoothing", 0.99, 0, 1)));
    if (options.name() == "gradient_norm") return named(gradient_norm{});
    if (options.name() == "gradient_change") return named(gradient_change{});
    if (options.name() == "gradient_delta") return named(gradient_delta{});
    if (options.name() == "sensitivity_uncertainty") {
        const double sensitivity = options.number("sensitivity_smoothing", 0.85, 0, 1);
        return named(
            sensitivity_uncertainty(sensitivity, options.number("uncertainty_smoothing", 0.95, 0, 1)));
    }
    if (options.name() == "activation_change") return named(activation_change(probe()));
    if (options.name() == "similarity_preserving_loss") return named(similarity_preserving_loss(probe()));
    if (options.name() == "linear_cka") return named(linear_cka(probe()));
    if (options.name() == "svcca") {
        const auto chosen = probe();
        return named(svcca(chosen, options.number("variance", 0.99, 0, 1)));
    }
    throw argument_error(sentence(
        "there is no scorer \"", options.name(),
        "\", known are weight_change, weight_cosine, path_ratio, effective_perturbation, gradient_norm, "
        "gradient_change, gradient_delta, sensitivity_uncertainty, activation_change, "
        "similarity_preserving_loss, linear_cka, svcca"));
}

}  // namespace frostline
