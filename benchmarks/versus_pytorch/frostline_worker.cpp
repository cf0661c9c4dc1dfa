// SPDX-License-Identifier: MIT
// frostline's side of one measurement of versus_pytorch.py: trains or runs a network and prints one line of
// JSON. The twin of pytorch_worker.py: the same weights, batches and steps.

#include "frostline/core/errors.hpp"
#include "frostline/core/openblas.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/freeze/scorers/weight_change.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/models/resnet.hpp"
#include "frostline/models/vgg.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/report/peak_memory.hpp"
#include "frostline/train/online_learner.hpp"
#include "frostline/version.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace frostline;
using nlohmann::json;

constexpr std::size_t classes = 10, compared_steps = 3;
constexpr std::size_t replay_capacity = 64, replayed_samples = 7;  // of online training

struct settings {
    std::string network;
    std::size_t size = 32, batch = 128;
    bool inference = false, online = false;
    double seconds = 1;
};

struct labelled_batch {
    tensor<float> images;
    std::vector<std::int32_t> targets;
};

// The numbers of tests/golden/make_golden.py.
std::uint64_t hash(const std::string& name, std::uint64_t index) {
    return scramble(hash_of(name) + index * 0x9E3779B97F4A7C15ULL);
}
float generate(const std::string& name, std::uint64_t index, double bound, double offset = 0) {
    const double uniform = static_cast<double>(hash(name, index) >> 11) * 0x1.0p-53;
    return static_cast<float>(offset + (2 * uniform - 1) * bound);
}

// PyTorch numbers weights by (output, input, tap); here they lie by (tap, input, output).
void generate(parameter<float>& item) {
    const std::size_t outputs = item.shape.back();
    if (item.shape.size() == 1) {
        const bool scales = item.name.ends_with(".weight");
        // Bottlenecks start close to their shortcuts: if not, two runs of PyTorch that round in another order
        // are percents apart after two steps of ResNet-50.
        const double mean = !scales ? 0.0 : item.name.ends_with("bn3.weight") ? 0.2 : 1.0;
        for (std::size_t i = 0; i < outputs; ++i)
            item.value[i] = generate(item.name, i, scales ? 0.2 * mean : 0.1, mean);
        return;
    }
    const std::size_t inputs = item.shape[item.shape.size() - 2];
    const std::size_t fan_in = item.size() / outputs, taps = fan_in / inputs;
    const double bound = std::sqrt((item.shape.size() == 4 ? 6.0 : 3.0) / static_cast<double>(fan_in));
    for (std::size_t tap = 0; tap < taps; ++tap)
        for (std::size_t i = 0; i < inputs; ++i)
            for (std::size_t o = 0; o < outputs; ++o)
                item.value[(tap * inputs + i) * outputs + o] =
                    generate(item.name, (o * inputs + i) * taps + tap, bound);
}

void generate(buffer<float>& item) {
    const bool variance = item.name.ends_with("_var");
    for (std::size_t i = 0; i < item.values.size(); ++i)
        item.values[i] = generate(item.name, i, variance ? 0.2 : 0.1, variance ? 1 : 0);
}

// The images of PyTorch's (sample, channel, position) as (sample, position, channel).
labelled_batch generate_batch(std::size_t number, const settings& chosen) {
    labelled_batch made;
    const sample_shape shape{chosen.size, chosen.size, 3};
    const std::string image = "image." + std::to_string(number), target = "target." + std::to_string(number);
    const std::size_t positions = shape.height * shape.width;
    resize(made.images, chosen.batch, shape);
    for (std::size_t sample = 0; sample < chosen.batch; ++sample) {
        for (std::size_t p = 0; p < positions; ++p)
            for (std::size_t c = 0; c < shape.channels; ++c)
                made.images.data()[(sample * positions + p) * shape.channels + c] =
                    generate(image, (sample * shape.channels + c) * positions + p, 1);
        made.targets.push_back(static_cast<std::int32_t>(hash(target, sample) % classes));
    }
    return made;
}

// More batches than are compared, so that the network does not know small ones by heart at once.
std::vector<labelled_batch> generate_batches(const settings& chosen) {
    std::vector<labelled_batch> batches;
    for (std::size_t number = 0; number < std::max<std::size_t>(4, 64 / chosen.batch); ++number)
        batches.push_back(generate_batch(number, chosen));
    return batches;
}

template <class Use>
json with_network(const settings& chosen, const Use& use) {
    const sample_shape input{chosen.size, chosen.size, 3};
    if (chosen.network == "vgg11") return use(vgg11<float>(input, classes));
    if (chosen.network == "vgg16") return use(vgg16<float>(input, classes));
    if (chosen.network == "resnet18") return use(resnet18<float>(input, classes));
    if (chosen.network == "resnet18-cifar")
        return use(resnet18<float>(input, classes, {.stem = resnet_stem::cifar}));
    if (chosen.network == "resnet50") return use(resnet50<float>(input, classes));
    throw argument_error(sentence("there is no network \"", chosen.network,
                                  "\", known are vgg11, vgg16, resnet18, resnet18-cifar, resnet50"));
}

// Images a second of whole steps that take at least this many seconds together; null for none.
template <class Step>
json speed(const settings& chosen, const Step& step) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    double elapsed = 0;
    std::size_t images = 0;
    for (; elapsed < chosen.seconds; images += chosen.batch) {
        step();
        elapsed = std::chrono::duration<double>(clock::now() - start).count();
    }
    return images == 0 ? json() : json(static_cast<double>(images) / elapsed);
}

template <class Network>
json train(Network& network, const std::vector<labelled_batch>& batches, const settings& chosen) {
    const std::size_t blocks = network.blocks();
    // Low enough that rounding does not decide the losses of the first steps.
    const std::vector<block_rate> rates(blocks, {.rate = 0.001, .decay = 5e-4});
    const softmax_cross_entropy<float> loss;
    sgd<float> optimiser({.momentum = 0.9});
    optimiser.attach(network.slices());
    tensor<float> dlogits;
    std::uint64_t number = 0;
    const auto step = [&] {
        const auto& batch = batches[number % batches.size()];
        const auto& logits =
            network.forward(batch.images, 0, blocks, {.phase = phase::training, .step = number++});
        const double value = loss(logits, batch.targets, dlogits);
        network.backward(batch.images, dlogits, 0, blocks);
        optimiser.step(network.arenas().values(), network.arenas().gradients(), 0, rates);
        return value;
    };
    std::vector<double> losses;
    while (number < compared_steps) losses.push_back(step());
    return {{"compared", losses}, {"images_per_second", speed(chosen, step)}};
}

template <class Network>
json infer(Network& network, const std::vector<labelled_batch>& batches, const settings& chosen) {
    std::size_t number = 0;
    const auto step = [&]() -> const auto& {
        return network.predict(batches[number++ % batches.size()].images);
    };
    std::vector<double> compared;
    while (number < compared_steps) {
        const auto& logits = step();
        compared.insert(compared.end(), logits.data(), logits.data() + logits.size());
    }
    return {{"compared", compared}, {"images_per_second", speed(chosen, step)}};
}

// Latencies of predict and partial_fit, which alternate, as they are where samples come one after the other.
template <class Network>
json train_online(Network& network, const std::vector<labelled_batch>& batches, const settings& chosen) {
    using clock = std::chrono::steady_clock;
    online_learner learner{network,
                           softmax_cross_entropy<float>{},
                           sgd<float>{{.momentum = 0.9}},
                           weight_change{},
                           never{},
                           no_feature_store{},
                           replay_buffer<float>(replay_capacity),
                           {.learning_rate = 0.001, .replayed = replayed_samples}};
    std::vector<double> predicting, fitting, compared;
    const auto step = [&] {
        const auto& batch = batches[learner.steps() % batches.size()];
        const auto first = clock::now();
        learner.predict(batch.images);
        const auto second = clock::now();
        const auto found = learner.partial_fit(batch.images, batch.targets);
        predicting.push_back(std::chrono::duration<double>(second - first).count());
        fitting.push_back(std::chrono::duration<double>(clock::now() - second).count());
        return found;
    };
    for (std::size_t i = 0; i < compared_steps; ++i) {
        const auto found = step();
        compared.insert(compared.end(), {found.loss, found.train_loss});
    }
    predicting.clear();
    fitting.clear();
    const json images_per_second = speed(chosen, step);
    // The median, and what one call in a hundred exceeds.
    const auto quantiles = [](std::vector<double> seconds) -> json {
        if (seconds.empty()) return nullptr;
        std::sort(seconds.begin(), seconds.end());
        return {{"p50", seconds[(seconds.size() - 1) / 2]},
                {"p99", seconds[(seconds.size() - 1) * 99 / 100]}};
    };
    return {{"compared", compared},
            {"images_per_second", images_per_second},
            {"predict_seconds", quantiles(predicting)},
            {"partial_fit_seconds", quantiles(fitting)}};
}

json run(const settings& chosen) {
    const auto batches = generate_batches(chosen);
    const int used_threads = threads();
    const bool was_reset = reset_peak_memory();
    const auto baseline = peak_memory_bytes();
    json result = with_network(chosen, [&](auto network) {
        network.for_each_parameter([](auto& item) { generate(item); });
        network.for_each_buffer([](auto& item) { generate(item); });
        if (chosen.online) return train_online(network, batches, chosen);
        return chosen.inference ? infer(network, batches, chosen) : train(network, batches, chosen);
    });
    const auto peak = peak_memory_bytes();
    require<error>(was_reset && baseline && peak, "this system does not tell the peak memory");
    result["version"] = version_string;
    result["blas_core"] = openblas_get_corename();
    result["threads"] = used_threads;
    result["resident_bytes"] = *peak;
    result["memory_bytes"] = *peak - *baseline;
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    CLI::App app{"Measures training steps or inference of one network.", "frostline-versus"};
    app.option_defaults()->always_capture_default();
    app.add_option("network", chosen.network, "vgg11, vgg16, resnet18, resnet18-cifar or resnet50")
        ->required();
    app.add_option("--size", chosen.size, "Height and width of the images")->check(CLI::PositiveNumber);
    app.add_option("--batch", chosen.batch, "Images a step")->check(CLI::PositiveNumber);
    app.add_flag("--inference", chosen.inference, "Measure inference in place of training");
    app.add_flag("--online", chosen.online, "Measure online training: partial_fit and predict");
    app.add_option("--seconds", chosen.seconds, "Least time to measure; 0: run the compared steps only");
    CLI11_PARSE(app, argc, argv);
    try {
        std::cout << run(chosen) << '\n';
    } catch (const std::exception& failure) {
        std::cerr << "frostline-versus: " << failure.what() << '\n';
        return 1;
    }
}
