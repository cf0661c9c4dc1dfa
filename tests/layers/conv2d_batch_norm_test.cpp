// SPDX-License-Identifier: MIT
#include "frostline/layers/conv2d_batch_norm.hpp"

#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/conv2d.hpp"
#include "frostline/layers/relu.hpp"
#include "frostline/testing/gradient_check.hpp"
#include "support/catch.hpp"
#include "support/standalone.hpp"

using namespace frostline;
using standalone::bound_layer;
using standalone::distance;
using standalone::random_tensor;
using standalone::same_bits;

template <class T>
using activated = conv2d_batch_norm<T>;
template <class T>
using plain = conv2d_batch_norm<T, activation::none>;

static_assert(adding_layer<activated<float>> && adding_layer<activated<double>>);
static_assert(adding_layer<plain<float>> && adding_layer<plain<double>>);

namespace {

struct convolution_case {
    sample_shape input;
    std::size_t outputs;
    extent kernel = 3;
    extent stride = 1;
    extent padding = 0;
    bool bias = false;
    std::size_t samples = 4;
};

const std::vector<convolution_case> cases{
    {.input = {5, 7, 3}, .outputs = 4, .padding = 1},
    {.input = {5, 7, 3}, .outputs = 4, .padding = 1, .bias = true},
    {.input = {6, 9, 2}, .outputs = 5, .stride = 2, .padding = 1},
    {.input = {7, 5, 3}, .outputs = 3, .kernel = {1, 3}, .stride = {2, 1}, .padding = {0, 1}, .bias = true},
    {.input = {4, 5, 6}, .outputs = 7, .kernel = 1},
    {.input = {5, 5, 6}, .outputs = 7, .kernel = 1, .stride = 2},
    {.input = {1, 1, 9}, .outputs = 5, .padding = 1, .samples = 6},
    {.input = {4, 4, 1}, .outputs = 1, .kernel = 4, .samples = 5},
    {.input = {4, 6, 17}, .outputs = 34, .padding = 1, .bias = true},
};

conv2d_batch_norm_options options_of(const convolution_case& of) {
    return {.convolution = {.name = "conv",
                            .input_channels = of.input.channels,
                            .output_channels = of.outputs,
                            .kernel = of.kernel,
                            .stride = of.stride,
                            .padding = of.padding},
            .norm_name = "norm",
            .bias = of.bias};
}

template <class Layer>
Layer make(const convolution_case& of) {
    return Layer(options_of(of));
}

/// The layer of one's own that check_gradients does not know to have an addend.
template <class Layer>
struct without_addend : Layer {
    using Layer::Layer;
    using value_type = typename Layer::value_type;
    using context = typename Layer::context;
    void forward(const tensor<value_type>& x, tensor<value_type>& y, context& remembered,
                 workspace<value_type>& scratch, const pass& how) {
        Layer::forward(x, y, remembered, scratch, how);
    }
    void backward(const tensor<value_type>& x, const tensor<value_type>& y, tensor<value_type>& dy,
                  context& remembered, workspace<value_type>& scratch, gradients wanted,
                  tensor<value_type>& dx) {
        Layer::backward(x, y, dy, remembered, scratch, wanted, dx);
    }
};

template <class Layer>
void check_all_gradients() {
    for (std::size_t number = 0; number < cases.size(); ++number) {
        auto checked = make<Layer>(cases[number]);
        const auto result = check_gradients(checked, cases[number].input, cases[number].samples);
        INFO("case " << number << ": " << result.where);
        CHECK(result.worst_error < 1e-6);
    }
}

/// What conv2d_batch_norm must equal: conv2d, batch_norm, the sum with the addend, relu.
template <class T, bool Relu>
struct composition {
    explicit composition(const convolution_case& of)
        : convolution(conv2d<T>(options_of(of).convolution, of.bias)),
          norm(batch_norm<T>("norm", of.outputs)),
          activation(relu<T>{}) {}

    tensor<T> forward(const tensor<T>& x, const tensor<T>* addend, phase how) {
        convolved = convolution.forward(x, how);
        y = norm.forward(convolved, how);
        if (addend != nullptr)
            for (std::size_t i = 0; i < y.size(); ++i) y.data()[i] += addend->data()[i];
        if (Relu) y = activation.forward(tensor<T>(y), how);
        return y;
    }
    /// @return gradient of x; that of the addend stays in dsum
    tensor<T> backward(const tensor<T>& x, const tensor<T>& dy) {
        dsum = Relu ? activation.backward(y, y, dy) : dy;
        return convolution.backward(x, convolved, norm.backward(convolved, convolved, dsum));
    }

    bound_layer<conv2d<T>> convolution;
    bound_layer<batch_norm<T>> norm;
    bound_layer<relu<T>> activation;
    tensor<T> convolved, y, dsum;
};

template <class Layer, bool Relu>
void check_equals_composition(bool adds) {
    constexpr double tight = 1e-11;
    for (std::size_t number = 0; number < cases.size(); ++number) {
        INFO("case " << number << (adds ? " with an addend" : ""));
        const auto& of = cases[number];
        bound_layer fused(make<Layer>(of));
        composition<double, Relu> parts(of);
        // Twice, so that the running statistics do not start at their constants.
        for (const auto* name : {"first", "second"}) {
            const auto x = random_tensor<double>(of.samples, of.input, sentence("x", name));
            const auto shape = fused.itself.output_shape(of.input);
            const auto addend = random_tensor<double>(of.samples, shape, sentence("addend", name));
            const auto dy = random_tensor<double>(of.samples, shape, sentence("dy", name));
            const auto y =
                adds ? fused.forward(x, addend, phase::training) : fused.forward(x, phase::training);
            CHECK(distance(y, parts.forward(x, adds ? &addend : nullptr, phase::training)) < tight);

            tensor<double> daddend;
            const auto dx =
                adds ? fused.backward(x, y, dy, gradients::both, daddend) : fused.backward(x, y, dy);
            CHECK(distance(dx, parts.backward(x, dy)) < tight);
            if (adds) CHECK(distance(daddend, parts.dsum) < tight);
            CHECK(distance(fused.gradient("conv.weight"), parts.convolution.gradient("conv.weight")) < tight);
            CHECK(distance(fused.gradient("norm.weight"), parts.norm.gradient("norm.weight")) < tight);
            CHECK(distance(fused.gradient("norm.bias"), parts.norm.gradient("norm.bias")) < tight);
            if (of.bias) CHECK(fused.gradient("conv.bias") == std::vector<double>(of.outputs, 0.0));
            for (const auto* statistic : {"norm.running_mean", "norm.running_var"})
                CHECK(distance(fused.statistics(statistic), parts.norm.statistics(statistic)) < tight);

            CHECK(distance(
                      adds ? fused.forward(x, addend, phase::inference) : fused.forward(x, phase::inference),
                      parts.forward(x, adds ? &addend : nullptr, phase::inference)) < tight);
        }
    }
}

}  // namespace

TEST_CASE("conv2d_batch_norm's backward pass gives the gradients of its forward pass") {
    SECTION("with ReLU and addend") { check_all_gradients<activated<double>>(); }
    SECTION("with ReLU") { check_all_gradients<without_addend<activated<double>>>(); }
    SECTION("with addend") { check_all_gradients<plain<double>>(); }
    SECTION("alone") { check_all_gradients<without_addend<plain<double>>>(); }
    static_assert(!adding_layer<without_addend<plain<double>>> && layer<without_addend<plain<double>>>);
}

TEST_CASE("conv2d_batch_norm equals conv2d, batch_norm, sum and relu one behind the other") {
    for (const bool adds : {false, true}) {
        check_equals_composition<activated<double>, true>(adds);
        check_equals_composition<plain<double>, false>(adds);
    }
}

TEST_CASE("conv2d_batch_norm in inference is the convolution with folded weights") {
    const auto& of = cases[1];
    bound_layer fused(make<plain<double>>(of));
    fused.itself.for_each_buffer([](buffer<double>& item) {
        standalone::fill(item.values.data(), item.values.size(), item.name);
        if (item.name == "norm.running_var")
            for (auto& variance : item.values) variance = 1.5 + variance;
    });
    bound_layer folded(conv2d<double>(options_of(of).convolution, true));
    auto& weight = folded.parameter_called("conv.weight");
    const auto gain = fused.value("norm.weight"), offset = fused.value("norm.bias"),
               bias = fused.value("conv.bias");
    const auto mean = fused.statistics("norm.running_mean"), variance = fused.statistics("norm.running_var");
    for (std::size_t c = 0; c < of.outputs; ++c) {
        const double scale = gain[c] / std::sqrt(variance[c] + 1e-5);
        for (std::size_t i = c; i < weight.size(); i += of.outputs) weight.value[i] *= scale;
        folded.parameter_called("conv.bias").value[c] = (bias[c] - mean[c]) * scale + offset[c];
    }
    const auto x = random_tensor<double>(3, of.input, "x");
    CHECK(distance(fused.forward(x, phase::inference), folded.forward(x, phase::inference)) < 1e-13);
}

TEST_CASE("conv2d_batch_norm in float follows double") {
    for (std::size_t number = 0; number < cases.size(); ++number) {
        INFO("case " << number);
        const auto& of = cases[number];
        // Without ReLU: a value near zero may pass in one precision only.
        bound_layer single(make<plain<float>>(of));
        bound_layer exact(make<plain<double>>(of));
        const auto x = random_tensor<float>(of.samples, of.input, "x");
        const auto exact_x = random_tensor<double>(of.samples, of.input, "x");
        const auto y = single.forward(x, phase::training);
        const auto exact_y = exact.forward(exact_x, phase::training);
        CHECK(distance(y, exact_y) < 1e-5);
        const auto dx = single.backward(x, y, random_tensor<float>(of.samples, shape_of(y), "dy"));
        CHECK(distance(dx, exact.backward(exact_x, exact_y,
                                          random_tensor<double>(of.samples, shape_of(y), "dy"))) < 1e-4);
        for (const auto* name : {"conv.weight", "norm.weight", "norm.bias"})
            CHECK(distance(single.gradient(name), exact.gradient(name)) < 1e-4);
        for (const auto* name : {"norm.running_mean", "norm.running_var"})
            CHECK(distance(single.statistics(name), exact.statistics(name)) < 1e-5);
        CHECK(distance(single.forward(x, phase::inference), exact.forward(exact_x, phase::inference)) < 1e-5);
    }
}

TEST_CASE("conv2d_batch_norm in inference gives a sample the same bits in any batch and position") {
    for (std::size_t number = 0; number < cases.size(); ++number) {
        INFO("case " << number);
        bound_layer fused(make<activated<float>>(cases[number]));
        CHECK(inference_depends_on_the_sample_alone(fused, cases[number].input));
    }
}

TEST_CASE("conv2d_batch_norm in inference changes neither its statistics nor its parameters") {
    bound_layer fused(make<activated<float>>(cases[0]));
    const auto x = random_tensor<float>(4, cases[0].input, "x");
    fused.forward(x, phase::training);
    const auto mean = fused.statistics("norm.running_mean"), variance = fused.statistics("norm.running_var");
    const auto weight = fused.value("norm.weight");
    fused.forward(x, phase::inference);
    CHECK(fused.statistics("norm.running_mean") == mean);
    CHECK(fused.statistics("norm.running_var") == variance);
    CHECK(fused.value("norm.weight") == weight);
}

TEST_CASE("conv2d_batch_norm frozen between others infers, and passes the gradient of what it computes") {
    for (const auto& of : cases) {
        const auto check = [&](auto layer) {
            layer.for_each_buffer([](auto& item) {
                for (std::size_t i = 0; i < item.values.size(); ++i) item.values[i] += 0.25 * (1.0 + i % 3);
            });
            const auto result = check_gradients(layer, of.input, of.samples, 0, 60, phase::frozen);
            INFO(result.where);
            CHECK(result.worst_error < 1e-6);
        };
        check(make<activated<double>>(of));
        check(make<plain<double>>(of));
        check(make<without_addend<activated<double>>>(of));

        bound_layer fused(make<activated<double>>(of));
        const auto x = random_tensor<double>(of.samples, of.input, "x");
        fused.forward(x, phase::training);
        const auto mean = fused.statistics("norm.running_mean");
        CHECK(same_bits(fused.forward(x, phase::frozen), fused.forward(x, phase::inference)));
        CHECK(fused.statistics("norm.running_mean") == mean);
        // What was frozen trains again as if nothing had been.
        const auto y = fused.forward(x, phase::training);
        const auto dy = random_tensor<double>(of.samples, shape_of(y), "dy");
        const auto dx = fused.backward(x, y, dy, gradients::both);
        fused.forward(x, phase::frozen);
        fused.forward(x, phase::training);
        CHECK(same_bits(fused.backward(x, y, dy, gradients::both), dx));
    }
}

TEST_CASE("conv2d_batch_norm computes the gradients that are wanted and leaves the others alone") {
    const auto& of = cases[1];
    bound_layer fused(make<activated<double>>(of));
    const auto x = random_tensor<double>(of.samples, of.input, "x");
    const auto y = fused.forward(x, phase::training);
    const auto dy = random_tensor<double>(of.samples, shape_of(y), "dy");
    const auto dx = fused.backward(x, y, dy, gradients::both);
    const auto dweight = fused.gradient("conv.weight"), dgain = fused.gradient("norm.weight");

    fused.itself.for_each_parameter(
        [](parameter<double>& item) { std::fill_n(item.gradient, item.size(), 7.0); });
    CHECK(same_bits(fused.backward(x, y, dy, gradients::input), dx));
    fused.itself.for_each_parameter([](parameter<double>& item) {
        CHECK(std::vector<double>(item.gradient, item.gradient + item.size()) ==
              std::vector<double>(item.size(), 7.0));
    });
    CHECK(fused.backward(x, y, dy, gradients::parameters).size() == 0);
    CHECK(fused.gradient("conv.weight") == dweight);
    CHECK(fused.gradient("norm.weight") == dgain);
}

TEST_CASE("conv2d_batch_norm carries torchvision's names, and only its convolution's weight decays") {
    auto fused = make<activated<float>>(cases[1]);
    std::vector<std::string> names, decaying;
    fused.for_each_parameter([&](parameter<float>& item) {
        names.push_back(item.name);
        if (item.decays) decaying.push_back(item.name);
    });
    fused.for_each_buffer([&](buffer<float>& item) { names.push_back(item.name); });
    CHECK(names == std::vector<std::string>{"conv.weight", "conv.bias", "norm.weight", "norm.bias",
                                            "norm.running_mean", "norm.running_var"});
    CHECK(decaying == std::vector<std::string>{"conv.weight"});
    auto options = options_of(cases[0]);
    options.initial_weight = 0;
    activated<float>(options).for_each_parameter([](parameter<float>& item) {
        if (item.name == "norm.weight") CHECK(item.initial.scale == 0);
    });
}

TEST_CASE("conv2d_batch_norm rejects what does not fit in one sentence") {
    bound_layer fused(make<activated<float>>(cases[0]));
    CHECK_THROWS_AS(fused.itself.output_shape({5, 7, 2}), shape_error);
    CHECK_THROWS_WITH(fused.itself.output_shape({5, 7, 2}),
                      "convolution 'conv' takes 3 channels, but its input 5x7x2 has 2");
    CHECK_THROWS_AS(fused.forward(random_tensor<float>(2, {5, 7, 2}, "x"), phase::training), shape_error);
    CHECK_THROWS_WITH(make<activated<float>>({.input = {5, 5, 0}, .outputs = 4}),
                      "convolution 'conv': channels, kernel and stride must be at least 1");
    CHECK_THROWS_AS(make<activated<float>>({.input = {5, 5, 3}, .outputs = 0}), argument_error);
}

TEST_CASE("conv2d_batch_norm cannot train on one value a channel, but infers from it") {
    bound_layer fused(make<activated<float>>({.input = {3, 3, 2}, .outputs = 4}));
    const auto x = random_tensor<float>(1, {3, 3, 2}, "x");
    CHECK_THROWS_AS(fused.forward(x, phase::training), shape_error);
    CHECK_THROWS_WITH(fused.forward(x, phase::training),
                      "batch norm 'norm' needs more than one value a channel to train, found 1");
    CHECK(fused.statistics("norm.running_mean") == std::vector<float>(4, 0));
    CHECK(shape_of(fused.forward(x, phase::inference)) == sample_shape{1, 1, 4});
    CHECK_NOTHROW(fused.forward(random_tensor<float>(2, {3, 3, 2}, "x"), phase::training));
}
