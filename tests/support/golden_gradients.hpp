// SPDX-License-Identifier: MIT
#pragma once

#include "support/golden.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace golden {

/// Relative errors, in the L2 norm, of the gradient of one parameter.
struct gradient_errors {
    std::string name;
    double norm;              ///< of the gradient
    double of_double;         ///< against PyTorch's double, estimated from projections
    double of_float;          ///< against our double
    double of_pytorch_float;  ///< of PyTorch's float against its double
};

/// |difference| / |expected|, where an expected zero admits nothing else.
inline double relative_error(double difference, double expected) {
    if (difference == 0) return 0;
    const double error = difference / expected;
    return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

/// Runs the file's batch through a network with the file's parameters, forward and backward.
/// @return the loss
template <class Network>
double find_gradients(Network& network, const json& file) {
    using T = typename Network::value_type;
    set_parameters(network, file);
    const std::size_t number = file.at("number");
    const auto x = images<T>(file, number);
    const auto& logits = network.forward(x, 0, network.blocks(), {.phase = phase::training});
    tensor<T> gradient;
    const double loss = softmax_cross_entropy<T>{}(logits, targets(file, number), gradient);
    network.backward(x, gradient, 0, network.blocks());
    return loss;
}

/// Root mean square of the differences between projections of a gradient on vectors of random signs
/// (tests/golden/README.md) and those expected. It estimates |d|, the L2 norm of the difference of the whole
/// gradients, for the square of each projection of d has the mean |d|^2: with eight, a result under a tenth
/// of |d| is a chance of about 1e-7, and a single wrong entry shows in full.
inline double projected_difference(const parameter<double>& item, const std::vector<std::size_t>& order,
                                   const std::vector<double>& expected) {
    const std::string name = item.name + ".signs";
    std::vector<double> sums(expected.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::uint64_t signs = hash(name, order[i]);
        for (std::size_t bit = 0; bit < sums.size(); ++bit)
            sums[bit] += (signs >> bit & 1) != 0 ? item.gradient[i] : -item.gradient[i];
    }
    double squares = 0;
    for (std::size_t bit = 0; bit < sums.size(); ++bit) squares += std::pow(sums[bit] - expected[bit], 2);
    return std::sqrt(squares / static_cast<double>(sums.size()));
}

/// Compares the gradients that two networks of one kind have found with the file's.
template <class Double, class Float>
std::vector<gradient_errors> compare_gradients(Double& doubles, Float& floats, const json& file) {
    std::vector<gradient_errors> errors;
    for_each_parameter(doubles, file, [&](const auto& item, const json& entry, const auto& order) {
        const json& theirs = entry.at("gradient");
        const auto offset = floats.slices()[errors.size()].offset;
        const float* in_float = floats.arenas().gradients().data() + offset;
        double squares = 0, difference = 0;
        for (std::size_t i = 0; i < item.size(); ++i) {
            squares += std::pow(item.gradient[i], 2);
            difference += std::pow(static_cast<double>(in_float[i]) - item.gradient[i], 2);
        }
        errors.push_back({.name = item.name,
                          .norm = theirs.at("norm"),
                          .of_double = relative_error(
                              projected_difference(item, order, theirs.at("projections")), theirs.at("norm")),
                          .of_float = relative_error(std::sqrt(difference), std::sqrt(squares)),
                          .of_pytorch_float = theirs.at("float32_error")});
    });
    return errors;
}

}  // namespace golden
