// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/pass.hpp"
#include "support/standalone.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace standalone {

/// Compares the gradients of a network's parameters with central differences of sum(y * w), w random, at
/// some 40 values of each. The network is left with random parameters.
/// @return max |backward - numeric| / max |numeric| of the parameter that fits worst
template <class Network>
double network_gradient_error(Network& network, std::size_t samples) {
    const pass training{.phase = phase::training};
    const std::size_t blocks = network.blocks();
    // Not the initial values: a bias that starts at zero before ReLU, or a pooling of equal values, lies on a
    // kink.
    const auto values = network.arenas().values();
    for (const auto& slice : network.slices())
        fill(values.data() + slice.offset, slice.size, sentence("at", slice.offset));
    const auto x = random_tensor<double>(samples, network.input_shape(), "x");
    const auto w = random_tensor<double>(samples, network.output_shape(), "w");
    const auto loss = [&] {
        const auto& y = network.forward(x, 0, blocks, training);
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += y.data()[i] * w.data()[i];
        return sum;
    };
    loss();
    tensor<double> dy = w;
    network.backward(x, dy, 0, blocks);
    const std::vector<double> gradient(network.arenas().gradients().begin(),
                                       network.arenas().gradients().end());
    double worst_of_all = 0;
    for (const auto& slice : network.slices()) {
        double worst = 0, largest = 0.01;
        for (std::size_t i = slice.offset; i < slice.offset + slice.size; i += 1 + slice.size / 40) {
            const double value = values[i];
            double error = 1e300;
            for (const double step : {1e-5, 1e-6, 1e-7}) {  // a shorter step may avoid a kink
                values[i] = value + step;
                const double above = loss();
                values[i] = value - step;
                const double numeric = (above - loss()) / (2 * step);
                values[i] = value;
                largest = std::max(largest, std::abs(numeric));
                error = std::min(error, std::abs(numeric - gradient[i]));
                if (error < 1e-7) break;
            }
            worst = std::max(worst, error);
        }
        worst_of_all = std::max(worst_of_all, worst / largest);
    }
    return worst_of_all;
}

}  // namespace standalone
