// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/layers/conv2d.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "frostline/layers/relu.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

template <class T>
using lenet_convolution = sequence<conv2d<T>, relu<T>>;
template <class T>
using lenet_linear = sequence<linear<T>, relu<T>>;

template <class T>
using lenet =
    network<lenet_convolution<T>, max_pool<T>, lenet_convolution<T>, max_pool<T>, lenet_linear<T>, linear<T>>;

/// LeNet-5 (LeCun et al. 1998) as it is built today: ReLU and max pooling. The first convolution pads by 2,
/// so that 28x28 images give the 5x5x16 features of the original; other sizes work from 12x12 up.
template <class T>
lenet<T> lenet5(const sample_shape& input, std::size_t classes) {
    const auto convolution = [](const std::string& name, std::size_t inputs, std::size_t outputs,
                                std::size_t padding) {
        return std::vector{lenet_convolution<T>{conv2d<T>{{.name = name,
                                                           .input_channels = inputs,
                                                           .output_channels = outputs,
                                                           .kernel = 5,
                                                           .padding = padding}},
                                                relu<T>{}}};
    };
    const auto pooling = [] { return std::vector{max_pool<T>{{.kernel = 2}}}; };
    auto first = convolution("conv1", input.channels, 6, 2);
    auto second = convolution("conv2", 6, 16, 0);
    const auto behind_first = pooling()[0].output_shape(first[0].output_shape(input));
    const auto features = pooling()[0].output_shape(second[0].output_shape(behind_first)).size();
    std::vector hidden{
        lenet_linear<T>{linear<T>{{.name = "fc1", .inputs = features, .outputs = 120}}, relu<T>{}},
        lenet_linear<T>{linear<T>{{.name = "fc2", .inputs = 120, .outputs = 84}}, relu<T>{}}};
    std::vector head{linear<T>{{.name = "fc3", .inputs = 84, .outputs = classes}}};
    return lenet<T>(input, std::move(first), pooling(), std::move(second), pooling(), std::move(hidden),
                    std::move(head));
}

}  // namespace frostline
