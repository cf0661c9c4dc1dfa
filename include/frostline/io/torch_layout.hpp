// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/tensor.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// How PyTorch lays out an array that we have as (height, width, inputs, outputs): as (outputs, inputs,
/// height, width). A convolution is that; a linear layer behind features of height x width is, too, because
/// PyTorch flattens them channel by channel; what belongs to single channels has outputs alone.
struct torch_layout {
    std::size_t height = 1, width = 1, inputs = 1, outputs = 1;
};

/// Calls visit(our index, PyTorch's index) for every element.
template <class Visitor>
void for_each_place(const torch_layout& layout, const Visitor& visit) {
    const std::size_t positions = layout.height * layout.width;
    parallel_ranges(layout.outputs, 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t position = 0; position < positions; ++position)
            for (std::size_t input = 0; input < layout.inputs; ++input)
                for (std::size_t output = begin; output < end; ++output)
                    visit((position * layout.inputs + input) * layout.outputs + output,
                          (output * layout.inputs + input) * positions + position);
    });
}

/// An array of a network that PyTorch's state dict has, too: a parameter or running statistics.
template <class T>
struct weight_array {
    std::string name;
    std::span<T> values;             ///< in the network, in our order
    std::vector<std::size_t> shape;  ///< PyTorch's
    torch_layout layout{};
    bool in_head = false;  ///< in the last block that learns
};

/// All parameters and running statistics of a network, layer by layer from the input.
///
/// A weight of four dimensions is a convolution's, HWIO; one of two is a linear layer's, and its inputs are
/// the features that were flattened, whether by a layer flatten, further back, or by the linear layer itself.
/// A layer without such a weight that takes flattened features, as batch norm does, has a value for each of
/// them.
template <class Network>
std::vector<weight_array<typename Network::value_type>> weight_arrays(Network& network) {
    using T = typename Network::value_type;
    std::vector<weight_array<T>> arrays;
    sample_shape features;  // as they were before they were flattened
    std::size_t head = network.blocks();
    while (head > 0 && !network.block(head - 1).learns()) --head;

    for (std::size_t block = 0; block < network.blocks(); ++block) {
        const auto add_layer = [&](auto& layer, const sample_shape& input) {
            if (input != sample_shape{1, 1, features.size()}) features = input;
            bool has_weight = false;
            layer.for_each_parameter(
                [&](const auto& item) { has_weight = has_weight || item.shape.size() > 1; });
            const auto add = [&](const std::string& name, std::span<T> values,
                                 const std::vector<std::size_t>& ours) {
                weight_array<T> array{
                    .name = name, .values = values, .shape = ours, .in_head = block + 1 == head};
                array.layout.outputs = values.size();
                if (ours.size() == 4) {
                    array.layout = {ours[0], ours[1], ours[2], ours[3]};
                    array.shape = {ours[3], ours[2], ours[0], ours[1]};
                } else if (ours.size() == 2) {
                    const bool flattens = ours[0] == features.size();
                    array.layout =
                        flattens ? torch_layout{features.height, features.width, features.channels, ours[1]}
                                 : torch_layout{.inputs = ours[0], .outputs = ours[1]};
                    array.shape = {ours[1], ours[0]};
                } else if (ours.size() == 1 && !has_weight && ours[0] == features.size()) {
                    array.layout = {features.height, features.width, features.channels, 1};
                }
                arrays.push_back(std::move(array));
            };
            layer.for_each_parameter([&](auto& item) {
                add(item.name, {item.value, item.size()}, item.shape);
            });
            layer.for_each_buffer([&](auto& item) { add(item.name, item.values, {item.values.size()}); });
            if (has_weight) features = layer.output_shape(input);
        };
        network.visit(block,
                      [&](auto& whole, auto&) { for_each_layer(whole, network.shape_at(block), add_layer); });
    }
    return arrays;
}

}  // namespace frostline
