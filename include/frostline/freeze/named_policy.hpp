// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/named_options.hpp"
#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/policy_options.hpp"
#include "frostline/freeze/thawing.hpp"

#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// Calls visit(name, policy, meaning) for each policy that has a name, with its defaults.
template <class Visitor>
void for_each_named_policy(const Visitor& visit) {
    visit("never", never{}, "freezes nothing");
    visit("learn_and_drop", learn_and_drop{}, "by parameter change, now and still to come");
    visit("linear", linear_schedule{}, "a fixed schedule (Composer's layer freezing)");
    visit("cubic", cubic_schedule{}, "a fixed schedule, fast first");
    visit("geometric", geometric_schedule{},
          "a fixed schedule, a share of the rest at a time (PipeTransformer)");
    visit("freeze_out", freeze_out{}, "each block's learning rate falls to zero at its own time");
    visit("auto_freeze", auto_freeze{}, "by the change of gradients against the other blocks'");
    visit("egeria", egeria{}, "when the plasticity is flat; thaws when the learning rate drops");
    visit("grades", grades{}, "each block by the change of its gradient, not only leading ones");
    visit("layer_out", layer_out{}, "random blocks in each epoch, not only leading ones");
    visit("svcca_freeze", svcca_freeze{}, "by the canonical correlation of outputs with those before");
    visit("sim_freeze", sim_freeze{},
          "when the similarity to the first network settles; thaws with new data");
    visit("head_only", head_only{}, "everything but the head, from the start: for trained weights");
    visit("gradual_thaw", gradual_thaw{},
          "only the head learns first, then block by block towards the input");
    visit("budget", budget{}, "as much as it takes to keep to a budget of FLOPs or seconds");
}

/// When any policy but never thaws, beside its own reasons.
struct thaw_options {
    double thaw_on_rate_drop = 0;
    double thaw_on_loss_rise = 0;
    double thaw_on_score_rise = 0;
    double head_first = 0;
    double end_resume = 0;
    double end_rate = 0.1;
};

template <class Visitor>
void for_each_option(thaw_options& chosen, const Visitor& visit) {
    constexpr double most = std::numeric_limits<double>::max();
    visit("thaw_on_rate_drop", chosen.thaw_on_rate_drop, 0, most,
          "everything thaws when the rate falls by this factor; 0: never");
    visit("thaw_on_loss_rise", chosen.thaw_on_loss_rise, 0, most,
          "everything thaws when the loss rises by this factor; 0: never");
    visit("thaw_on_score_rise", chosen.thaw_on_score_rise, 0, most,
          "everything thaws when the head's score rises by this factor; 0: never");
    visit("head_first", chosen.head_first, 0, 1, "only the head learns for this first share of the run");
    visit("end_resume", chosen.end_resume, 0, 1, "everything thaws for this last share of the run");
    visit("end_rate", chosen.end_rate, 0, most, "and the learning rates are multiplied by this then");
}

/// The policy that `text` names, "NAME" or "NAME:KEY=VALUE,...". The names are those of
/// for_each_named_policy, the keys those of for_each_option for the policy and, but for never, for
/// thaw_options. Calls visit_option(key, value) for each of them, those that keep their defaults among them.
/// @throws argument_error for an unknown name or key, for numbers out of range, and for an end before its
/// start
template <class Visitor>
any_policy named_policy(std::string_view text, const Visitor& visit_option) {
    named_options options(text);
    const auto read = [&](std::string_view key, auto& value, double lowest, double highest,
                          std::string_view) {
        using value_type = std::remove_reference_t<decltype(value)>;
        if constexpr (std::floating_point<value_type>) {
            value = options.number(key, value, lowest, highest);
        } else if constexpr (std::same_as<value_type, bool>) {
            value = options.number(key, value ? 1 : 0, lowest, highest) != 0;
        } else {
            value = options.count(key, value, static_cast<std::size_t>(lowest));
        }
        visit_option(key, value);
    };
    std::optional<any_policy> found;
    std::string known;
    for_each_named_policy([&](std::string_view name, auto policy, std::string_view) {
        known += (known.empty() ? "" : ", ") + std::string(name);
        if (name != options.name()) return;
        for_each_option(policy, read);
        if constexpr (requires { policy.start <= policy.end; })
            require<argument_error>(policy.start <= policy.end, name, ": end is ", policy.end,
                                    ", expected no less than start, ", policy.start);
        found.emplace(options.name(), policy);
    });
    require<argument_error>(found.has_value(), "there is no policy \"", options.name(), "\", known are ",
                            known);
    thaw_options thaw;
    if (options.name() != "never") for_each_option(thaw, read);
    options.require_all_used();
    for (const auto& [key, factor] : {std::pair{"thaw_on_rate_drop", thaw.thaw_on_rate_drop},
                                      {"thaw_on_loss_rise", thaw.thaw_on_loss_rise},
                                      {"thaw_on_score_rise", thaw.thaw_on_score_rise}})
        require<argument_error>(factor == 0 || factor > 1, key, " must be 0 or more than 1, found ", factor);
    if (thaw.thaw_on_rate_drop > 0)
        found.emplace(options.name(), thaw_on(when::rate_drops{thaw.thaw_on_rate_drop}, *found));
    if (thaw.thaw_on_loss_rise > 0)
        found.emplace(options.name(), thaw_on(when::loss_rises{thaw.thaw_on_loss_rise}, *found));
    if (thaw.thaw_on_score_rise > 0)
        found.emplace(options.name(), thaw_on(when::score_rises{thaw.thaw_on_score_rise}, *found));
    if (thaw.head_first > 0) found.emplace(options.name(), head_first(*found, thaw.head_first));
    if (thaw.end_resume > 0)
        found.emplace(options.name(), end_resume(*found, thaw.end_resume, thaw.end_rate));
    return *std::move(found);
}

/// The policy that `text` names, as above.
inline any_policy named_policy(std::string_view text) {
    return named_policy(text, [](std::string_view, const auto&) {});
}

}  // namespace frostline
