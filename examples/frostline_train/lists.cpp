// SPDX-License-Identifier: MIT

#include "lists.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/schedules.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>

namespace {

void explain(std::string_view key, auto value, std::string_view meaning) {
    std::string text = frostline::sentence("    ", key, '=', value);
    text.resize(std::max<std::size_t>(26, text.size() + 2), ' ');
    std::cout << text << meaning << '\n';
}

void print_scorers() {
    std::cout << "scorers, NAME or NAME:key=value,..., with their defaults:\n"
                 "  weight_change: how far the weights moved since the last decision\n";
    explain("measure", "relative_l2", "or mean_l1, raw_l1");
    explain("per_learning_rate", "yes", "or no: divided by the learning rate summed since then");
    std::cout << "  weight_cosine: how far the direction of the weights turned\n";
    explain("since", "last_decision", "or start");
    std::cout << "  path_ratio: how straight the weights moved, from 1 to 0\n";
    explain("every", 8, "steps between two whose length is measured");
    std::cout << "  effective_perturbation: APF, whether changes add up or cancel\n";
    explain("smoothing", 0.99, "of the averages");
    std::cout << "  gradient_norm: length of the mean gradient\n"
                 "  gradient_change: AutoFreeze, relative change of the size of the summed gradient\n"
                 "  gradient_delta: GradES, difference of the last two gradients\n"
                 "  sensitivity_uncertainty: AFLoRA\n";
    explain("sensitivity_smoothing", 0.85, "of the gradient's size");
    explain("uncertainty_smoothing", 0.95, "of its deviation from that");
    std::cout << "  activation_change: relative change of the outputs on a probe batch\n"
                 "  similarity_preserving_loss: Egeria, change of which samples look alike\n"
                 "  linear_cka: 1 - CKA of the outputs\n"
                 "  svcca: 1 - mean canonical correlation of the outputs, and\n";
    explain("variance", 0.99, "share that the compared directions hold");
    std::cout << "  all of the last four:\n";
    explain("samples", 64, "of the training set in the probe batch");
    explain("reference", "earlier", "or initial: what the outputs are compared with");
    explain("decisions", 1, "how long ago, where earlier");
}

}  // namespace

void print_lists() {
    std::cout << "models:\n";
    for (const auto& model : frostline::named_models) std::cout << "  " << model << '\n';
    std::cout << "  all ResNets:\n";
    explain("stem", "cifar", "up to 64x64, else imagenet: which first block");
    explain("zero_initial_residual", 0, "1: each block starts as its shortcut; deep ones learn sooner");
    std::cout << "data sets:\n";
    for (const auto& set : frostline::named_datasets) {
#ifndef FROSTLINE_TRAIN_IMAGES
        if (set.name == "imagenette") continue;
#endif
        std::cout << "  " << set.name << '\n';
    }

    const auto explain_option = [](std::string_view key, const auto& value, double, double,
                                   std::string_view meaning) { explain(key, value, meaning); };
    std::cout << "policies, NAME or NAME:key=value,..., with their defaults:\n";
    frostline::for_each_named_policy(
        [&](std::string_view policy_name, auto policy, std::string_view meaning) {
            std::cout << "  " << policy_name << ": " << meaning << '\n';
            frostline::for_each_option(policy, explain_option);
        });
    std::cout << "  all of them but never:\n";
    frostline::thaw_options thaw;
    frostline::for_each_option(thaw, explain_option);

    print_scorers();

    const frostline::cosine cosine;
    const frostline::step_decay step;
    const frostline::one_cycle cycle;
    std::cout << "schedules, NAME or NAME:key=value,..., with their defaults:\n"
                 "  constant: the rate of --lr\n"
                 "  cosine: from the rate down half a cosine\n";
    explain("final", cosine.final_rate, "the rate at the end");
    std::cout << "  step: down at intervals\n";
    explain("every", step.every, "epochs between two steps down");
    explain("factor", step.factor, "by which each step multiplies the rate");
    std::cout << "  one_cycle: up to the rate and down again\n";
    explain("rising", cycle.rising, "share of the run in which the rate rises");
    explain("start_divisor", cycle.start_divisor, "the first rate is the highest divided by this");
    explain("final_divisor", cycle.final_divisor, "the last rate is the first divided by this");
    std::cout << "  all of them:\n";
    explain("warm_up", 0, "epochs, not a share, in which the rate rises from nothing");
    explain("per_epoch", 0, "1 holds the rate during each epoch");
}
