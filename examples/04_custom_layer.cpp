// SPDX-License-Identifier: MIT
// A layer of one's own, checked by the public gradient check and trained inside a network.
// Usage: 04_custom_layer [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>
#include <frostline/testing/gradient_check.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

// log(1 + exp(z)), without overflow for large z.
template <class T>
T softplus_of(T z) {
    return std::max(z, T{0}) + std::log1p(std::exp(-std::abs(z)));
}

// Softplus with a learnt sharpness b: y = log(1 + exp(b x)) / b.
template <class T>
class softplus {
public:
    using value_type = T;
    struct context {};
    static constexpr frostline::backward_reads reads{.input = true};

    frostline::sample_shape output_shape(const frostline::sample_shape& input) const { return input; }
    frostline::flop_counts flops(const frostline::sample_shape&) const { return {}; }

    void forward(const frostline::tensor<T>& x, frostline::tensor<T>& y, context&, frostline::workspace<T>&,
                 const frostline::pass&) {
        frostline::resize(y, frostline::samples_of(x), frostline::shape_of(x));
        const T b = sharpness_.value[0];
        for (std::size_t i = 0; i < x.size(); ++i) y.data()[i] = softplus_of(b * x.data()[i]) / b;
    }

    void backward(const frostline::tensor<T>& x, const frostline::tensor<T>&, frostline::tensor<T>& dy,
                  context&, frostline::workspace<T>&, frostline::gradients wanted, frostline::tensor<T>& dx) {
        const T b = sharpness_.value[0];
        double db = 0;
        if (frostline::wants_input(wanted))
            frostline::resize(dx, frostline::samples_of(x), frostline::shape_of(x));
        for (std::size_t i = 0; i < x.size(); ++i) {
            const T value = x.data()[i], slope = 1 / (1 + std::exp(-b * value));
            db += dy.data()[i] * (value * slope - softplus_of(b * value) / b) / b;
            if (frostline::wants_input(wanted)) dx.data()[i] = dy.data()[i] * slope;
        }
        if (frostline::wants_parameters(wanted)) sharpness_.gradient[0] = static_cast<T>(db);
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visit) {
        visit(sharpness_);
    }
    template <class Visitor>
    void for_each_buffer(const Visitor&) {}

private:
    frostline::parameter<T> sharpness_{
        .name = ".sharpness", .shape = {1}, .initial = frostline::initialiser::constant(2), .decays = false};
};
static_assert(frostline::layer<softplus<float>>);

int main(int argc, char** argv) try {
    softplus<double> checked;
    const auto result = frostline::check_gradients(checked, {4, 4, 3}, /*samples=*/5);
    std::cout << "worst gradient error " << result.worst_error << " (" << result.where << ")\n";
    if (!(result.worst_error < 1e-6)) return 1;

    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    const auto load = [](frostline::dataset_part part, std::size_t samples) {
        return frostline::normalised(
            frostline::take_first(frostline::load_named("fashion-mnist", "", part), samples),
            frostline::usual_statistics("fashion-mnist"));
    };
    const auto train = load(frostline::dataset_part::train, tiny ? 256 : 10000);
    const auto test = load(frostline::dataset_part::test, tiny ? 128 : 10000);

    using block = frostline::sequence<frostline::conv2d<float>, softplus<float>, frostline::max_pool<float>>;
    const auto make = [](std::size_t inputs, std::size_t outputs) {
        return block{
            frostline::conv2d<float>{{.input_channels = inputs, .output_channels = outputs, .padding = 1}},
            softplus<float>{}, frostline::max_pool<float>{}};
    };
    std::vector<block> blocks{make(1, 16), make(16, 32)};
    std::vector head{frostline::linear<float>{{.inputs = 7 * 7 * 32, .outputs = 10}}};
    frostline::network network(train.shape(), std::move(blocks), std::move(head));

    frostline::run_log log{.policy = "learn_and_drop"};
    frostline::trainer trainer{network,
                               frostline::softmax_cross_entropy<float>{},
                               frostline::sgd<float>{},
                               frostline::weight_change{},
                               frostline::learn_and_drop{},
                               frostline::memory_feature_store<float>(std::size_t{1} << 30),
                               log};
    trainer.run({.epochs = tiny ? std::size_t{2} : 5, .schedule = frostline::cosine{.rate = 0.02}}, train,
                test);
    frostline::print_summary(std::cout, log);
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
