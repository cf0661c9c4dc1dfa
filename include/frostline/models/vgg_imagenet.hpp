// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/layers/adaptive_average_pool.hpp"
#include "frostline/layers/dropout.hpp"
#include "frostline/layers/relu.hpp"
#include "frostline/models/vgg.hpp"

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

template <class T>
using vgg_hidden = sequence<linear<T>, relu<T>, dropout<T>>;

/// All depths of VGG with the head for ImageNet are this one type.
template <class T>
using vgg_imagenet =
    network<vgg_convolution<T>, max_pool<T>, vgg_convolution<T>, max_pool<T>, vgg_convolution<T>, max_pool<T>,
            vgg_convolution<T>, max_pool<T>, vgg_convolution<T>, max_pool<T>, adaptive_average_pool<T>,
            vgg_hidden<T>, linear<T>>;

/// VGG with batch norm exactly as torchvision builds it: make_vgg's features, then 7x7 means, two hidden
/// layers of 4096 with dropout, and the linear head. Parameters carry torchvision's names.
///
/// classifier.0 reads its 7x7x512 inputs in the order row, column, channel, torchvision's in the order
/// channel, row, column: whoever exchanges weights permutes its inputs.
/// @param input any size from 32x32 up (five poolings), any number of channels
/// @param repeats convolutions in each of the five stages
template <class T>
vgg_imagenet<T> make_vgg_imagenet(const sample_shape& input, std::size_t classes,
                                  const std::array<std::size_t, 5>& repeats) {
    constexpr std::size_t side = 7, hidden_width = 4096;
    auto stages = vgg_features<T>(input.channels, repeats);
    const auto pooling = vgg_pooling<T>;
    const auto fully_connected = [](const char* name, std::size_t inputs, std::size_t outputs) {
        return linear<T>{
            {.name = name, .inputs = inputs, .outputs = outputs, .initial = initialiser::normal(0.01)}};
    };
    std::vector hidden{
        vgg_hidden<T>{fully_connected("classifier.0", side * side * vgg_widths[4], hidden_width), relu<T>{},
                      dropout<T>{"classifier.2"}},
        vgg_hidden<T>{fully_connected("classifier.3", hidden_width, hidden_width), relu<T>{},
                      dropout<T>{"classifier.5"}}};
    return vgg_imagenet<T>(input, std::move(stages[0]), pooling(), std::move(stages[1]), pooling(),
                           std::move(stages[2]), pooling(), std::move(stages[3]), pooling(),
                           std::move(stages[4]), pooling(), std::vector{adaptive_average_pool<T>{side}},
                           std::move(hidden),
                           std::vector{fully_connected("classifier.6", hidden_width, classes)});
}

template <class T>
vgg_imagenet<T> vgg11_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, {1, 1, 2, 2, 2});
}
template <class T>
vgg_imagenet<T> vgg13_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, {2, 2, 2, 2, 2});
}
template <class T>
vgg_imagenet<T> vgg16_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, {2, 2, 3, 3, 3});
}
template <class T>
vgg_imagenet<T> vgg19_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, {2, 2, 4, 4, 4});
}

}  // namespace frostline
