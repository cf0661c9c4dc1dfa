// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/named_options.hpp"
#include "frostline/models/lenet.hpp"
#include "frostline/models/resnet.hpp"
#include "frostline/models/vgg.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

/// The models that `with_model` knows.
inline constexpr std::array<std::string_view, 10> named_models{
    "lenet5",   "vgg11",    "vgg13",    "vgg16",     "vgg19",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"};

namespace detail {

inline argument_error no_such_model(std::string_view name) {
    std::string known;
    for (const auto& model : named_models) known += (known.empty() ? "" : ", ") + std::string(model);
    return argument_error(sentence("there is no model \"", name, "\", known are ", known));
}

}  // namespace detail

/// Before there is a shape to build the model for; options may follow the name. @throws argument_error for an
/// unknown name
inline void require_named_model(std::string_view text) {
    const std::string_view name = text.substr(0, text.find(':'));
    if (std::find(named_models.begin(), named_models.end(), name) == named_models.end())
        throw detail::no_such_model(name);
}

/// Builds the model that `text` names and calls use(network) with it; each family is one type, ResNet is two:
/// one for 18 and 34, one for the deeper. `text` is a name; for a ResNet, options of resnet_options may
/// follow: "NAME:stem=cifar" or "NAME:stem=imagenet", by itself the stem for CIFAR where samples are at most
/// 64 high and 64 wide, else the one for ImageNet; and "NAME:zero_initial_residual=1".
/// @throws argument_error for an unknown name or option, shape_error when the model does not take such
/// samples
template <class T, class Use>
decltype(auto) with_model(std::string_view text, const sample_shape& input, std::size_t classes,
                          const Use& use) {
    using namespace std::string_view_literals;
    named_options chosen(text);
    const std::string_view name = chosen.name();
    const bool small = input.height <= 64 && input.width <= 64;
    resnet_options options;
    if (name.starts_with("resnet")) {
        options.stem = std::array{
            resnet_stem::cifar,
            resnet_stem::imagenet}[chosen.choice("stem", std::array{"cifar"sv, "imagenet"sv}, small ? 0 : 1)];
        options.zero_initial_residual =
            chosen.choice("zero_initial_residual", std::array{"0"sv, "1"sv}, 0) == 1;
    }
    require_named_model(name);
    chosen.require_all_used();
    if (name == "lenet5") return use(lenet5<T>(input, classes));
    if (name == "vgg11") return use(vgg11<T>(input, classes));
    if (name == "vgg13") return use(vgg13<T>(input, classes));
    if (name == "vgg16") return use(vgg16<T>(input, classes));
    if (name == "vgg19") return use(vgg19<T>(input, classes));
    if (name == "resnet18") return use(resnet18<T>(input, classes, options));
    if (name == "resnet34") return use(resnet34<T>(input, classes, options));
    if (name == "resnet50") return use(resnet50<T>(input, classes, options));
    if (name == "resnet101") return use(resnet101<T>(input, classes, options));
    if (name == "resnet152") return use(resnet152<T>(input, classes, options));
    throw detail::no_such_model(name);
}

}  // namespace frostline
