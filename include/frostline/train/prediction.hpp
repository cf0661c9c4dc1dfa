// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a network says of one image.
struct prediction {
    std::vector<double> probabilities;  ///< of the classes: the softmax of the logits

    /// The most probable class; the first of equals.
    std::int32_t label() const {
        return static_cast<std::int32_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                         probabilities.begin());
    }
    double probability() const { return probabilities[static_cast<std::size_t>(label())]; }

    /// The `count` most probable classes, the most probable first.
    std::vector<std::int32_t> top(std::size_t count) const {
        std::vector<std::int32_t> labels(probabilities.size());
        std::iota(labels.begin(), labels.end(), 0);
        std::stable_sort(labels.begin(), labels.end(), [&](std::int32_t left, std::int32_t right) {
            return probabilities[static_cast<std::size_t>(left)] >
                   probabilities[static_cast<std::size_t>(right)];
        });
        labels.resize(std::min(count, labels.size()));
        return labels;
    }
};

/// The predictions for a batch, in inference with batch norm folded: an image has the same in any batch.
/// @param images (samples, height, width, channels), scaled as those that the network was trained on; none:
/// no predictions
/// @throws shape_error when the network does not take such images
template <class Network>
std::vector<prediction> predict_batch(Network& network, const tensor<typename Network::value_type>& images) {
    if (samples_of(images) == 0) return {};
    const auto& logits = network.predict(images);
    const std::size_t classes = shape_of(logits).size();
    std::vector<prediction> predictions(samples_of(images));
    for (std::size_t row = 0; row < predictions.size(); ++row) {
        const auto* in = logits.data() + row * classes;
        auto& out = predictions[row].probabilities;
        const auto largest = static_cast<double>(*std::max_element(in, in + classes));
        double sum = 0;
        for (std::size_t c = 0; c < classes; ++c) {
            out.push_back(std::exp(static_cast<double>(in[c]) - largest));
            sum += out.back();
        }
        for (double& probability : out) probability /= sum;
    }
    return predictions;
}

/// The prediction for one image: predict(network, image).label(). For many images predict_batch is faster.
/// @param image (1, height, width, channels), scaled as those that the network was trained on
/// @throws shape_error when it is no single image, or the network does not take such images
template <class Network>
prediction predict(Network& network, const tensor<typename Network::value_type>& image) {
    require<shape_error>(samples_of(image) == 1, "predict takes one image, but was given ", samples_of(image),
                         ": predict_batch takes any number");
    return predict_batch(network, image).front();
}

}  // namespace frostline
