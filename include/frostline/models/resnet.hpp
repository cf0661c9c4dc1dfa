// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/compose/residual.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/global_average_pool.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What comes before the residual blocks: a 7x7 convolution with stride 2 and a 3x3 max pooling with stride
/// 2 (imagenet), or a 3x3 convolution alone, which leaves small images their size (cifar).
enum class resnet_stem { imagenet, cifar };

struct resnet_options {
    resnet_stem stem = resnet_stem::imagenet;
    /// Whether the last batch norm of every block starts at 0, so that a block starts as its shortcut and
    /// ReLU (Goyal et al. 2017).
    bool zero_initial_residual = false;
};

/// Residual blocks of one width, torchvision's "layer1": the first halves height and width, except in the
/// first stage.
struct resnet_stage {
    std::size_t width = 64;  ///< of the 3x3 convolutions
    std::size_t blocks = 1;
};

template <class T>
using resnet_convolution = conv2d_batch_norm<T>;
template <class T>
using resnet_shortcut = conv2d_batch_norm<T, activation::none>;
/// Two 3x3 convolutions.
template <class T>
using resnet_basic_block =
    residual<sequence<resnet_convolution<T>, resnet_convolution<T>>, resnet_shortcut<T>>;
/// Convolutions of 1x1, 3x3 and 1x1, the last four times as wide; the 3x3 one has the stride (version 1.5).
template <class T>
using resnet_bottleneck =
    residual<sequence<resnet_convolution<T>, resnet_convolution<T>, resnet_convolution<T>>,
             resnet_shortcut<T>>;
template <class T>
using resnet_head = sequence<global_average_pool<T>, linear<T>>;

/// All depths of a kind of block are one type, with either stem: the pooling is a stage that may be empty.
template <class Block>
using resnet = network<resnet_convolution<typename Block::value_type>, max_pool<typename Block::value_type>,
                       Block, resnet_head<typename Block::value_type>>;
template <class T>
using basic_resnet = resnet<resnet_basic_block<T>>;
template <class T>
using bottleneck_resnet = resnet<resnet_bottleneck<T>>;

template <class Block>
inline constexpr std::size_t resnet_expansion =
    std::same_as<Block, resnet_bottleneck<typename Block::value_type>> ? 4 : 1;

/// A convolution that keeps the size of its input but for the stride.
inline conv2d_batch_norm_options resnet_convolution_options(const std::string& name,
                                                            const std::string& norm_name, std::size_t inputs,
                                                            std::size_t outputs, std::size_t kernel,
                                                            std::size_t stride) {
    return {.convolution = {.name = name,
                            .input_channels = inputs,
                            .output_channels = outputs,
                            .kernel = kernel,
                            .stride = stride,
                            .padding = kernel / 2},
            .norm_name = norm_name};
}

/// One residual block, `Block` being resnet_basic_block<T> or resnet_bottleneck<T>; its shortcut has a
/// convolution where the shape changes.
/// @param name torchvision's path of the block, "layer1.0"
template <class Block>
Block make_resnet_block(const std::string& name, std::size_t inputs, std::size_t width, std::size_t stride,
                        bool zero_initial_residual = false) {
    using T = typename Block::value_type;
    const std::size_t outputs = width * resnet_expansion<Block>;
    const auto convolution = [&](const char* number, std::size_t from, std::size_t to, std::size_t kernel,
                                 std::size_t step, double initial_weight = 1) {
        auto options = resnet_convolution_options(name + ".conv" + number, name + ".bn" + number, from, to,
                                                  kernel, step);
        options.initial_weight = initial_weight;
        return resnet_convolution<T>{std::move(options)};
    };
    std::optional<resnet_shortcut<T>> shortcut;
    if (stride != 1 || inputs != outputs)
        shortcut.emplace(resnet_convolution_options(name + ".downsample.0", name + ".downsample.1", inputs,
                                                    outputs, 1, stride));
    const double last_weight = zero_initial_residual ? 0 : 1;
    if constexpr (resnet_expansion<Block> == 1)
        return Block{sequence{convolution("1", inputs, width, 3, stride),
                              convolution("2", width, outputs, 3, 1, last_weight)},
                     std::move(shortcut)};
    else
        return Block{
            sequence{convolution("1", inputs, width, 1, 1), convolution("2", width, width, 3, stride),
                     convolution("3", width, outputs, 1, 1, last_weight)},
            std::move(shortcut)};
}

/// A ResNet of any depth and widths (He et al. 2016); parameters carry torchvision's names.
/// @param input any size from 1x1 up (every convolution pads), any number of channels
/// @param stages the first one's width is that of the stem, too
/// @throws shape_error for an input without positions, argument_error for a channel, class, stage or width
/// of 0
template <class Block>
resnet<Block> make_resnet(const sample_shape& input, std::size_t classes,
                          const std::vector<resnet_stage>& stages, const resnet_options& options = {}) {
    using T = typename Block::value_type;
    require<argument_error>(!stages.empty(), "resnet: expected at least one stage");
    const bool imagenet = options.stem == resnet_stem::imagenet;
    std::size_t channels = stages.front().width;
    std::vector stem{resnet_convolution<T>{resnet_convolution_options(
        "conv1", "bn1", input.channels, channels, imagenet ? 7 : 3, imagenet ? 2 : 1)}};
    std::vector<max_pool<T>> pooling;
    if (imagenet) pooling.push_back(max_pool<T>{{.kernel = 3, .stride = 2, .padding = 1}});
    std::vector<Block> blocks;
    for (std::size_t stage = 0; stage < stages.size(); ++stage)
        for (std::size_t block = 0; block < stages[stage].blocks; ++block) {
            const auto name = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
            const std::size_t stride = stage > 0 && block == 0 ? 2 : 1;
            blocks.push_back(make_resnet_block<Block>(name, channels, stages[stage].width, stride,
                                                      options.zero_initial_residual));
            channels = stages[stage].width * resnet_expansion<Block>;
        }
    resnet_head<T> head{global_average_pool<T>{},
                        linear<T>{{.name = "fc", .inputs = channels, .outputs = classes}}};
    return resnet<Block>(input, std::move(stem), std::move(pooling), std::move(blocks),
                         std::vector{std::move(head)});
}

/// torchvision's ResNets. See make_resnet for what they take.
template <class T>
basic_resnet<T> resnet18(const sample_shape& input, std::size_t classes, const resnet_options& options = {}) {
    return make_resnet<resnet_basic_block<T>>(input, classes, {{64, 2}, {128, 2}, {256, 2}, {512, 2}},
                                              options);
}
template <class T>
basic_resnet<T> resnet34(const sample_shape& input, std::size_t classes, const resnet_options& options = {}) {
    return make_resnet<resnet_basic_block<T>>(input, classes, {{64, 3}, {128, 4}, {256, 6}, {512, 3}},
                                              options);
}
template <class T>
bottleneck_resnet<T> resnet50(const sample_shape& input, std::size_t classes,
                              const resnet_options& options = {}) {
    return make_resnet<resnet_bottleneck<T>>(input, classes, {{64, 3}, {128, 4}, {256, 6}, {512, 3}},
                                             options);
}
template <class T>
bottleneck_resnet<T> resnet101(const sample_shape& input, std::size_t classes,
                               const resnet_options& options = {}) {
    return make_resnet<resnet_bottleneck<T>>(input, classes, {{64, 3}, {128, 4}, {256, 23}, {512, 3}},
                                             options);
}
template <class T>
bottleneck_resnet<T> resnet152(const sample_shape& input, std::size_t classes,
                               const resnet_options& options = {}) {
    return make_resnet<resnet_bottleneck<T>>(input, classes, {{64, 3}, {128, 8}, {256, 36}, {512, 3}},
                                             options);
}

}  // namespace frostline
