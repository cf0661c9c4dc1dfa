// SPDX-License-Identifier: MIT
// Compares layers and the loss with PyTorch: tests/golden/README.md says how the inputs are made.
#include "frostline/layers/adaptive_average_pool.hpp"
#include "frostline/layers/average_pool.hpp"
#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/max_pool.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "layers/layer_checks.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using namespace frostline;
using nlohmann::json;

namespace {

const json& golden() {
    static const json file = json::parse(std::ifstream(FROSTLINE_GOLDEN_DIR "/layers.json"));
    return file;
}

double generated(const std::string& name, std::size_t index, double bound = 1, double offset = 0) {
    const std::uint64_t bits = scramble(hash_of(name) + index * 0x9E3779B97F4A7C15ULL);
    const double u = static_cast<double>(bits >> 11) * 0x1.0p-53;
    return static_cast<float>(offset + (2 * u - 1) * bound);
}

/// NHWC from PyTorch's NCHW, or (samples, 1, 1, features) from its (samples, features).
template <class T, class Value>
tensor<T> from_torch(const std::vector<std::size_t>& shape, const Value& value) {
    const bool image = shape.size() == 4;
    const std::size_t height = image ? shape[2] : 1, width = image ? shape[3] : 1;
    tensor<T> result;
    resize(result, shape[0], {height, width, shape[1]});
    for (std::size_t n = 0; n < shape[0]; ++n)
        for (std::size_t c = 0; c < shape[1]; ++c)
            for (std::size_t i = 0; i < height; ++i)
                for (std::size_t j = 0; j < width; ++j)
                    result(n, i, j, c) = static_cast<T>(value(((n * shape[1] + c) * height + i) * width + j));
    return result;
}

struct golden_case {
    std::string layer;
    const json& entry = golden()["layers"][layer];

    const json& input(const std::string& which) const {
        for (const auto& item : entry["inputs"])
            if (item["name"] == layer + "." + which) return item;
        throw std::runtime_error("no input " + which + " of " + layer);
    }
    double value(const json& item, std::size_t index) const {
        return generated(item["name"], index, item["bound"], item["offset"]);
    }
    template <class T>
    tensor<T> given(const std::string& which) const {
        const json& item = input(which);
        return from_torch<T>(item["shape"], [&](std::size_t index) { return value(item, index); });
    }
    tensor<double> expected(const std::string& which) const {
        const json& item = entry["expected"][which];
        return from_torch<double>(item["shape"],
                                  [&](std::size_t i) { return item["values"][i].get<double>(); });
    }
    std::vector<double> expected_vector(const std::string& which) const {
        return entry["expected"][which]["values"].get<std::vector<double>>();
    }
};

template <class T>
double tolerance() {
    return sizeof(T) == 4 ? 5e-6 : 1e-12;
}

template <class T, class Layer>
void check_pooling(const golden_case& wanted, Layer layer) {
    const auto x = wanted.given<T>("x");
    auto dy = wanted.given<T>("dy");
    tensor<T> y, dx;
    typename Layer::context context;
    workspace<T> scratch;
    layer.forward(x, y, context, scratch, pass{phase::training});
    layer.backward(x, y, dy, context, scratch, gradients::input, dx);
    CHECK(layer_checks::largest_difference(y, wanted.expected("y")) < tolerance<T>());
    CHECK(layer_checks::largest_difference(dx, wanted.expected("dx")) < tolerance<T>());
}

pooling_window window_of(const golden_case& wanted) {
    const json& settings = wanted.entry["settings"];
    return {settings["kernel"], settings["stride"], settings["padding"]};
}

}  // namespace

TEST_CASE("the generator of the golden inputs is PyTorch's script's") {
    for (const auto& check : golden()["generator_check"]) {
        const std::string name = check["name"];
        CHECK(hash_of(name) == check["fnv1a64"].get<std::uint64_t>());
        for (std::size_t i = 0; i < 3; ++i) CHECK(generated(name, i) == check["value"][i].get<double>());
    }
}

TEMPLATE_TEST_CASE("pooling agrees with PyTorch", "", float, double) {
    const golden_case largest{"max_pool"}, average{"average_pool"};
    check_pooling<TestType>(largest, max_pool<TestType>{window_of(largest)});
    check_pooling<TestType>(average, average_pool<TestType>{window_of(average)});
    const golden_case adaptive{"adaptive_average_pool"};
    const json& settings = adaptive.entry["settings"];
    check_pooling<TestType>(adaptive,
                            adaptive_average_pool<TestType>{{settings["height"], settings["width"]}});
}

TEMPLATE_TEST_CASE("batch_norm agrees with PyTorch", "", float, double) {
    using T = TestType;
    const golden_case wanted{"batch_norm"};
    const json& settings = wanted.entry["settings"];
    batch_norm<T> layer("batch_norm", 3, {settings["momentum"], settings["epsilon"]});
    parameter_arenas<T> arenas;
    layer_checks::bind(layer, arenas);
    layer.for_each_parameter([&](parameter<T>& item) {
        const json& input = wanted.input(item.name.substr(item.name.find('.') + 1));
        for (std::size_t i = 0; i < item.size(); ++i) item.value[i] = static_cast<T>(wanted.value(input, i));
    });
    const auto x = wanted.given<T>("x");
    auto dy = wanted.given<T>("dy");
    tensor<T> y, dx, y_inference;
    typename batch_norm<T>::context context;
    workspace<T> scratch;
    layer.forward(x, y, context, scratch, pass{phase::training});
    layer.backward(x, y, dy, context, scratch, gradients::both, dx);
    layer.forward(x, y_inference, context, scratch, pass{});
    CHECK(layer_checks::largest_difference(y, wanted.expected("y")) < tolerance<T>());
    CHECK(layer_checks::largest_difference(dx, wanted.expected("dx")) < tolerance<T>());
    CHECK(layer_checks::largest_difference(y_inference, wanted.expected("y_inference_after")) <
          tolerance<T>());
    layer.for_each_parameter([&](parameter<T>& item) {
        const auto expected = wanted.expected_vector("d" + item.name.substr(item.name.find('.') + 1));
        CHECK(layer_checks::largest_difference(std::span(item.gradient, item.size()), expected) <
              tolerance<T>());
    });
    layer.for_each_buffer([&](buffer<T>& item) {
        const auto expected = wanted.expected_vector(item.name.substr(item.name.find('.') + 1));
        CHECK(layer_checks::largest_difference(item.values, expected) < tolerance<T>());
    });
}

TEMPLATE_TEST_CASE("softmax_cross_entropy agrees with PyTorch", "", float, double) {
    using T = TestType;
    const golden_case wanted{"cross_entropy"};
    const json& settings = wanted.entry["settings"];
    const auto targets = settings["targets"].get<std::vector<std::int32_t>>();
    tensor<T> gradient;
    const double loss = softmax_cross_entropy<T>{{.label_smoothing = settings["label_smoothing"]}}(
        wanted.given<T>("logits"), targets, gradient);
    CHECK(loss == Catch::Approx(wanted.expected_vector("loss")[0]).epsilon(1e-12));
    CHECK(layer_checks::largest_difference(gradient, wanted.expected("dlogits")) < tolerance<T>());
}
