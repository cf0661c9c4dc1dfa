// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/models/lenet.hpp"
#include "frostline/models/vgg.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

/// The models that `with_model` knows.
inline constexpr std::array<std::string_view, 5> named_models{"lenet5", "vgg11", "vgg13", "vgg16", "vgg19"};

/// Builds the model of this name and calls use(network) with it; each family is one type.
/// @throws argument_error for an unknown name, shape_error when the model does not take such samples
template <class T, class Use>
decltype(auto) with_model(std::string_view name, const sample_shape& input, std::size_t classes,
                          const Use& use) {
    if (name == "lenet5") return use(lenet5<T>(input, classes));
    if (name == "vgg11") return use(vgg11<T>(input, classes));
    if (name == "vgg13") return use(vgg13<T>(input, classes));
    if (name == "vgg16") return use(vgg16<T>(input, classes));
    if (name == "vgg19") return use(vgg19<T>(input, classes));
    std::string known;
    for (const auto& model : named_models) known += (known.empty() ? "" : ", ") + std::string(model);
    throw argument_error(sentence("there is no model \"", name, "\", known are ", known));
}

}  // namespace frostline
