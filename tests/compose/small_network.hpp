// SPDX-License-Identifier: MIT
// A small network with every kind of stage, for the tests of network.
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/compose/residual.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/layers/conv2d.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/global_average_pool.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "support/standalone.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace small {

using namespace frostline;

template <class T>
using shortcut_of = conv2d_batch_norm<T, activation::none>;
template <class T>
using residual_of = residual<conv2d_batch_norm<T>, shortcut_of<T>>;
template <class T>
using head_of = sequence<global_average_pool<T>, linear<T>>;
/// Stages: convolutions, pooling, a stage that may be empty, residual blocks, head.
template <class T>
using small_network = network<conv2d_batch_norm<T>, max_pool<T>, conv2d<T>, residual_of<T>, head_of<T>>;

inline constexpr sample_shape input{8, 6, 2};
inline constexpr std::size_t classes = 3;

inline conv2d_batch_norm_options normalised(const std::string& name, std::size_t inputs, std::size_t outputs,
                                            std::size_t kernel = 3, std::size_t stride = 1) {
    return {.convolution = {.name = name + ".conv",
                            .input_channels = inputs,
                            .output_channels = outputs,
                            .kernel = kernel,
                            .stride = stride,
                            .padding = kernel / 2},
            .norm_name = name + ".norm"};
}

/// Blocks: 0, 1 convolutions; 2 pooling; then `plain` convolutions; two residual blocks; the head.
template <class T>
small_network<T> make(std::size_t plain = 0) {
    std::vector<conv2d_batch_norm<T>> convolutions{conv2d_batch_norm<T>{normalised("first", 2, 4)},
                                                   conv2d_batch_norm<T>{normalised("second", 4, 5)}};
    std::vector<conv2d<T>> between;
    for (std::size_t i = 0; i < plain; ++i)
        between.emplace_back(convolution_options{.name = sentence("plain", i),
                                                 .input_channels = 5,
                                                 .output_channels = 5,
                                                 .kernel = 3,
                                                 .padding = 1});
    std::vector<residual_of<T>> residuals{
        residual_of<T>{conv2d_batch_norm<T>{normalised("same", 5, 5)}},
        residual_of<T>{conv2d_batch_norm<T>{normalised("halved", 5, 6, 3, 2)},
                       shortcut_of<T>{normalised("projection", 5, 6, 1, 2)}}};
    std::vector<head_of<T>> head{
        head_of<T>{global_average_pool<T>{}, linear<T>({.name = "head", .inputs = 6, .outputs = classes})}};
    return small_network<T>(input, std::move(convolutions), {max_pool<T>{{.kernel = 2}}}, std::move(between),
                            std::move(residuals), std::move(head));
}

inline constexpr pass training{.phase = phase::training};
inline constexpr pass inference{.phase = phase::inference};

template <class T>
std::vector<T> values_of(const small_network<T>& network) {
    const auto values = network.arenas().values();
    return {values.begin(), values.end()};
}
template <class T>
std::vector<T> gradients_of(const small_network<T>& network) {
    const auto found = network.arenas().gradients();
    return {found.begin(), found.end()};
}
template <class T>
std::vector<T> statistics_of(small_network<T>& network) {
    std::vector<T> found;
    network.for_each_buffer(
        [&](buffer<T>& item) { found.insert(found.end(), item.values.begin(), item.values.end()); });
    return found;
}

/// One training step without an optimiser: forward, backward of a fixed output gradient, values -= 0.1
/// gradients.
template <class T>
void train_step(small_network<T>& network, std::string_view name) {
    const auto x = standalone::random_tensor<T>(4, input, name);
    network.forward(x, 0, network.blocks(), training);
    auto dy = standalone::random_tensor<T>(4, network.output_shape(), "dy");
    network.backward(x, dy, 0, network.blocks());
    const auto values = network.arenas().values();
    const auto found = network.arenas().gradients();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= static_cast<T>(0.1) * found[i];
}

}  // namespace small
