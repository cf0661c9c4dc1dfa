// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/parameter.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/optim/sgd.hpp"
#include "support/worse.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// PyTorch's numbers (tests/golden), brought from its layout to ours.
namespace golden {

using namespace frostline;
using nlohmann::json;

inline json load(const std::string& name) {
    const std::string path = std::string(FROSTLINE_GOLDEN_DIR) + "/" + name + ".json";
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    return json::parse(file);
}

/// The generator of tests/golden/README.md.
inline std::uint64_t hash(const std::string& name, std::uint64_t index) {
    return scramble(hash_of(name) + index * 0x9E3779B97F4A7C15ULL);
}
inline float generate(const std::string& name, std::uint64_t index, double bound, double offset) {
    const double uniform = static_cast<double>(hash(name, index) >> 11) * 0x1.0p-53;
    return static_cast<float>(offset + (2 * uniform - 1) * bound);
}

using shape = std::vector<std::size_t>;

/// For each element in our order its index in PyTorch's: NCHW to NHWC, or OIHW to HWIO.
inline std::vector<std::size_t> order_of(const shape& source, const std::array<std::size_t, 4>& axes) {
    std::array<std::size_t, 4> stride{source[1] * source[2] * source[3], source[2] * source[3], source[3], 1};
    std::vector<std::size_t> order;
    for (std::size_t a = 0; a < source[axes[0]]; ++a)
        for (std::size_t b = 0; b < source[axes[1]]; ++b)
            for (std::size_t c = 0; c < source[axes[2]]; ++c)
                for (std::size_t d = 0; d < source[axes[3]]; ++d)
                    order.push_back(a * stride[axes[0]] + b * stride[axes[1]] + c * stride[axes[2]] +
                                    d * stride[axes[3]]);
    return order;
}
inline std::vector<std::size_t> activation_order(const shape& nchw) { return order_of(nchw, {0, 2, 3, 1}); }
inline std::vector<std::size_t> convolution_order(const shape& oihw) { return order_of(oihw, {2, 3, 1, 0}); }
/// [out][in] to [in][out], where PyTorch flattened the `input` of the layer channel by channel.
inline std::vector<std::size_t> linear_order(const shape& out_in, const sample_shape& input) {
    return order_of({out_in[0], input.channels, input.height, input.width}, {2, 3, 1, 0});
}

/// A parameter's order: `input` is the shape that enters the layer.
inline std::vector<std::size_t> parameter_order(const shape& source, const sample_shape& input) {
    if (source.size() == 4) return convolution_order(source);
    if (source.size() == 2) return linear_order(source, input);
    std::vector<std::size_t> order(source[0]);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    return order;
}

/// Values of a generated array {name, shape, bound, offset}, in the given order.
template <class T>
void generate(const json& entry, const std::vector<std::size_t>& order, T* values) {
    const std::string name = entry.at("name");
    const double bound = entry.value("bound", 1.0), offset = entry.value("offset", 0.0);
    for (std::size_t i = 0; i < order.size(); ++i)
        values[i] = static_cast<T>(generate(name, order[i], bound, offset));
}

template <class T>
tensor<T> activations(const json& entry) {
    const auto nchw = entry.at("shape").get<shape>();
    tensor<T> result;
    resize(result, nchw[0], {nchw[2], nchw[3], nchw[1]});
    generate(entry, activation_order(nchw), result.data());
    return result;
}

/// Expected flat values in our order.
inline std::vector<double> permuted(const json& values, const std::vector<std::size_t>& order) {
    std::vector<double> result;
    for (const std::size_t index : order) result.push_back(values.at(index).get<double>());
    return result;
}

template <class T>
tensor<T> images(const json& file, std::size_t number) {
    return activations<T>({{"name", "image." + std::to_string(number)}, {"shape", file.at("batch")}});
}
inline std::vector<std::int32_t> targets(const json& file, std::size_t number) {
    std::vector<std::int32_t> result(file.at("batch").at(0).get<std::size_t>());
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = static_cast<std::int32_t>(hash("target." + std::to_string(number), i) % 10);
    return result;
}

/// Calls use(parameter, entry, order) for every parameter, its entry in the file, and its order. Throws
/// unless the names are the golden ones.
template <class Network, class Use>
void for_each_parameter(Network& network, const json& file, const Use& use) {
    using T = typename Network::value_type;
    std::map<std::string, json> entries;
    for (const auto& entry : file.at("parameters")) entries[entry.at("name")] = entry;
    std::size_t number = 0;
    network.for_each_parameter([&](parameter<T>& item) {
        const json& entry = entries.at(item.name);
        const auto source = entry.at("shape").get<shape>();
        const auto& block = network.block(network.slices()[number++].block);
        // A head that pools first: the linear layer sees the channels alone.
        const bool whole = source.size() != 2 || source[1] == block.input.size();
        const auto order = parameter_order(source, whole ? block.input : sample_shape{1, 1, source[1]});
        if (order.size() != item.size()) throw std::runtime_error(item.name + " has another size");
        use(item, entry, order);
    });
    if (number != entries.size()) throw std::runtime_error("the network lacks parameters");
}

/// Gives every parameter of the network its golden value.
template <class Network>
void set_parameters(Network& network, const json& file) {
    for_each_parameter(network, file, [](auto& item, const json& entry, const auto& order) {
        generate(entry, order, item.value);
    });
}

/// Largest |logit - expected| over the rows of `expected`.
template <class T>
double logits_error(const tensor<T>& logits, const json& expected) {
    double worst = 0;
    for (std::size_t row = 0; row < expected.size(); ++row)
        for (std::size_t c = 0; c < expected[row].size(); ++c) {
            const double value = static_cast<double>(logits(row, 0, 0, c));
            worst =
                std::max(worst, std::isnan(value) ? 1e300 : std::abs(value - expected[row][c].get<double>()));
        }
    return worst;
}

/// The same, relative to the largest |expected|.
template <class T>
double relative_logits_error(const tensor<T>& logits, const json& expected) {
    double largest = 0;
    for (const auto& row : expected)
        for (const double value : row) largest = std::max(largest, std::abs(value));
    return logits_error(logits, expected) / largest;
}

struct logits_errors {
    double inference = 0, training = 0;
};

/// What error(logits, expected) says of a network with the file's parameters, on the file's batch `number`:
/// inference first, since training moves the running statistics.
template <class Network, class Error>
logits_errors logits_errors_of(Network& network, const json& file, std::size_t number, const Error& error) {
    using T = typename Network::value_type;
    set_parameters(network, file);
    const auto x = images<T>(file, number);
    const double inference = error(network.predict(x), file.at("logits_inference"));
    const auto& logits = network.forward(x, 0, network.blocks(), {.phase = phase::training});
    return {inference, error(logits, file.at("logits_training"))};
}

/// Repeats a run of the file. @return its losses
template <class Network>
std::vector<double> train(Network& network, const json& file, const std::string& name) {
    using T = typename Network::value_type;
    const json& run = file.at("runs").at(name);
    const bool everywhere = run.at("decayed").size() == file.at("parameters").size();
    sgd<T> optimiser(
        {.momentum = run.at("momentum"), .nesterov = run.at("nesterov"), .decay_everywhere = everywhere});
    optimiser.attach(network.slices());
    const softmax_cross_entropy<T> loss({.label_smoothing = run.at("label_smoothing")});
    const std::vector<block_rate> rates(network.blocks(),
                                        {.rate = run.at("rate"), .decay = run.at("weight_decay")});
    std::vector<double> losses;
    tensor<T> gradient;
    for (std::size_t step = 0; step < run.at("losses").size(); ++step) {
        const std::size_t batch = step % run.at("batch_cycle").get<std::size_t>();
        const auto x = images<T>(file, batch);
        const auto& logits =
            network.forward(x, 0, network.blocks(), {.phase = phase::training, .step = step});
        losses.push_back(loss(logits, targets(file, batch), gradient));
        network.backward(x, gradient, 0, network.blocks());
        optimiser.step(network.arenas().values(), network.arenas().gradients(), 0, rates);
    }
    return losses;
}

/// Largest relative error of a run's losses.
inline double losses_error(const std::vector<double>& losses, const json& expected) {
    if (losses.size() != expected.size()) return 1e300;
    double worst = 0;
    for (std::size_t step = 0; step < losses.size(); ++step) {
        const double wanted = expected[step];
        worst = std::max(worst, std::isnan(losses[step]) ? 1e300 : std::abs(losses[step] - wanted) / wanted);
    }
    return worst;
}

/// Largest relative error of the norms of a network's running means and variances.
template <class Network>
double statistics_error(Network& network, const json& expected) {
    double worst = 0;
    std::size_t count = 0;
    network.for_each_buffer([&](const auto& item) {
        double squares = 0;
        for (const auto value : item.values)
            squares += static_cast<double>(value) * static_cast<double>(value);
        const double wanted = expected.at(item.name);
        take_worse(worst, std::abs(std::sqrt(squares) - wanted) / wanted);
        ++count;
    });
    return count == expected.size() ? worst : 1e300;
}

}  // namespace golden
