// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/global_average_pool.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

template <class T>
using vgg_convolution = conv2d_batch_norm<T>;
template <class T>
using vgg_head = sequence<global_average_pool<T>, linear<T>>;

/// VGG with any head: five stages of convolutions, each with its pooling, and the stages of the head. All
/// depths are one type.
template <class T, class... Head>
using vgg_with_head =
    network<vgg_convolution<T>, max_pool<T>, vgg_convolution<T>, max_pool<T>, vgg_convolution<T>, max_pool<T>,
            vgg_convolution<T>, max_pool<T>, vgg_convolution<T>, max_pool<T>, Head...>;
template <class T>
using vgg = vgg_with_head<T, vgg_head<T>>;

/// Convolutions in each of the five stages.
using vgg_repeats = std::array<std::size_t, 5>;
inline constexpr vgg_repeats vgg11_repeats{1, 1, 2, 2, 2}, vgg13_repeats{2, 2, 2, 2, 2},
    vgg16_repeats{2, 2, 3, 3, 3}, vgg19_repeats{2, 2, 4, 4, 4};
inline constexpr std::array<std::size_t, 5> vgg_widths{64, 128, 256, 512, 512};

/// The five stages of convolutions with batch norm, under the names of torchvision's features.
/// @param channels of the input
template <class T>
std::array<std::vector<vgg_convolution<T>>, 5> vgg_features(std::size_t channels,
                                                            const vgg_repeats& repeats) {
    std::array<std::vector<vgg_convolution<T>>, 5> stages;
    std::size_t position = 0;  // in torchvision's flat list: convolution, batch norm, ReLU, ..., pooling
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        for (std::size_t repeat = 0; repeat < repeats[stage]; ++repeat) {
            const convolution_options convolution{.name = "features." + std::to_string(position),
                                                  .input_channels = channels,
                                                  .output_channels = vgg_widths[stage],
                                                  .kernel = 3,
                                                  .padding = 1};
            conv2d_batch_norm_options options;
            options.convolution = convolution;
            options.norm_name = "features." + std::to_string(position + 1);
            options.bias = true;
            stages[stage].emplace_back(std::move(options));
            channels = vgg_widths[stage];
            position += 3;
        }
        ++position;
    }
    return stages;
}

/// The features of vgg_features, and the stages of a head behind them.
template <class T, class... Head>
vgg_with_head<T, Head...> make_vgg_with_head(const sample_shape& input, const vgg_repeats& repeats,
                                             std::vector<Head>... head) {
    auto stages = vgg_features<T>(input.channels, repeats);
    const auto pooling = [] { return std::vector{max_pool<T>{{.kernel = 2}}}; };
    return vgg_with_head<T, Head...>(input, std::move(stages[0]), pooling(), std::move(stages[1]), pooling(),
                                     std::move(stages[2]), pooling(), std::move(stages[3]), pooling(),
                                     std::move(stages[4]), pooling(), std::move(head)...);
}

/// VGG with batch norm (Simonyan, Zisserman 2015) as torchvision builds its features, and the head that is
/// usual at CIFAR's size: global average pooling and one linear layer. Parameters carry torchvision's names.
/// @param input any size from 32x32 up (five poolings), any number of channels
template <class T>
vgg<T> make_vgg(const sample_shape& input, std::size_t classes, const vgg_repeats& repeats) {
    vgg_head<T> head{global_average_pool<T>{}, linear<T>{{.name = "classifier",
                                                          .inputs = vgg_widths[4],
                                                          .outputs = classes,
                                                          .initial = initialiser::normal(0.01)}}};
    return make_vgg_with_head<T>(input, repeats, std::vector{std::move(head)});
}

template <class T>
vgg<T> vgg11(const sample_shape& input, std::size_t classes) {
    return make_vgg<T>(input, classes, vgg11_repeats);
}
template <class T>
vgg<T> vgg13(const sample_shape& input, std::size_t classes) {
    return make_vgg<T>(input, classes, vgg13_repeats);
}
template <class T>
vgg<T> vgg16(const sample_shape& input, std::size_t classes) {
    return make_vgg<T>(input, classes, vgg16_repeats);
}
template <class T>
vgg<T> vgg19(const sample_shape& input, std::size_t classes) {
    return make_vgg<T>(input, classes, vgg19_repeats);
}

}  // namespace frostline
