// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/layers/adaptive_average_pool.hpp"
#include "frostline/layers/dropout.hpp"
#include "frostline/layers/relu.hpp"
#include "frostline/models/vgg.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

template <class T>
using vgg_hidden = sequence<linear<T>, relu<T>, dropout<T>>;

/// VGG with the head for ImageNet, of all depths.
template <class T>
using vgg_imagenet = vgg_with_head<T, adaptive_average_pool<T>, vgg_hidden<T>, linear<T>>;

/// VGG with batch norm exactly as torchvision builds it: make_vgg's features, then 7x7 means, two hidden
/// layers of 4096 with dropout, and the linear head. Parameters carry torchvision's names.
///
/// classifier.0 reads its 7x7x512 inputs in the order row, column, channel, torchvision's in the order
/// channel, row, column: whoever exchanges weights permutes its inputs.
/// @param input any size from 32x32 up (five poolings), any number of channels
template <class T>
vgg_imagenet<T> make_vgg_imagenet(const sample_shape& input, std::size_t classes,
                                  const vgg_repeats& repeats) {
    constexpr std::size_t side = 7, hidden_width = 4096;
    const auto fully_connected = [](const char* name, std::size_t inputs, std::size_t outputs) {
        return linear<T>{
            {.name = name, .inputs = inputs, .outputs = outputs, .initial = initialiser::normal(0.01)}};
    };
    std::vector hidden{
        vgg_hidden<T>{fully_connected("classifier.0", side * side * vgg_widths[4], hidden_width), relu<T>{},
                      dropout<T>{"classifier.2"}},
        vgg_hidden<T>{fully_connected("classifier.3", hidden_width, hidden_width), relu<T>{},
                      dropout<T>{"classifier.5"}}};
    return make_vgg_with_head<T>(input, repeats, std::vector{adaptive_average_pool<T>{side}},
                                 std::move(hidden),
                                 std::vector{fully_connected("classifier.6", hidden_width, classes)});
}

template <class T>
vgg_imagenet<T> vgg11_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, vgg11_repeats);
}
template <class T>
vgg_imagenet<T> vgg13_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, vgg13_repeats);
}
template <class T>
vgg_imagenet<T> vgg16_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, vgg16_repeats);
}
template <class T>
vgg_imagenet<T> vgg19_imagenet(const sample_shape& input, std::size_t classes) {
    return make_vgg_imagenet<T>(input, classes, vgg19_repeats);
}

}  // namespace frostline
