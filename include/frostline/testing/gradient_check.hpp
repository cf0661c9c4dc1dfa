// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

namespace detail {

template <class Action>
class at_end {
public:
    explicit at_end(const Action& action) : action_(action) {}
    at_end(const at_end&) = delete;
    at_end& operator=(const at_end&) = delete;
    ~at_end() { action_(); }

private:
    const Action& action_;
};

}  // namespace detail

/// The tensor whose gradient fits worst: max |backward - numeric| / max |numeric| over its checked elements.
struct gradient_check_result {
    double worst_error = 0;
    std::string where;  ///< "input", "addend" or the name of a parameter
};

/// Compares a layer's backward pass with central differences of the scalar sum(y * w), w random, in double.
///
/// Input, addend (of an adding layer) and parameters get distinct random values in [-1, 1], no two within the
/// step of the differences, so that ReLU and max pooling of the input meet no kink; that holds for tensors of
/// up to 100,000 elements. Random layers are held still by the same pass for all evaluations. The backward
/// pass starts from tensors full of NaN wherever it must overwrite, or must not read what `reads` leaves out,
/// so that breaking the contract shows as an infinite error. A gradient that vanishes is compared with 0.01
/// instead of its own size.
///
/// A right backward pass stays below 1e-6. The layer is left with its parameters bound as they were and its
/// buffers as they were.
///
/// At most `elements` of each tensor are checked, drawn at random. Each costs two forward passes or four. In
/// the phase `frozen` the gradients of the input and the addend are checked alone: the others are not wanted.
template <layer Layer>
    requires std::same_as<typename Layer::value_type, double> gradient_check_result
    check_gradients(Layer& checked, const sample_shape& input, std::size_t samples, std::uint64_t seed = 0,
                    std::size_t elements = 100, phase during = phase::training) {
        constexpr double unset = std::numeric_limits<double>::quiet_NaN();
        const auto keyed = [&](std::string_view name) {
            return random_stream(seed, purpose::user, hash_of(name));
        };
        const auto fill = [&](std::span<double> values, std::string_view name) {
            // A shuffled grid that leaves zero out.
            for (std::size_t i = 0; i < values.size(); ++i)
                values[i] = 2 * (static_cast<double>(i) + 0.25) / static_cast<double>(values.size()) - 1;
            shuffle(values, keyed(name));
        };
        const auto span_of = [](tensor<double>& item) { return std::span<double>(item.data(), item.size()); };

        const sample_shape output = checked.output_shape(input);
        std::vector<parameter<double>*> parameters;
        checked.for_each_parameter([&](parameter<double>& item) { parameters.push_back(&item); });
        std::vector<parameter<double>> bound_before;
        for (const auto* item : parameters) bound_before.push_back(*item);
        std::vector<buffer<double>> buffers_before;
        checked.for_each_buffer([&](buffer<double>& item) { buffers_before.push_back(item); });
        const auto restore = [&] {
            for (std::size_t i = 0; i < parameters.size(); ++i) {
                parameters[i]->value = bound_before[i].value;
                parameters[i]->gradient = bound_before[i].gradient;
            }
            auto before = buffers_before.begin();
            checked.for_each_buffer([&](buffer<double>& item) { item.values = (before++)->values; });
        };
        const detail::at_end restores(restore);  // also where the layer throws
        parameter_arenas<double> arenas;
        arenas.bind(parameters);
        for (auto* item : parameters) fill({item->value, item->size()}, item->name);

        tensor<double> x, addend, y, w, dy, dx, daddend;
        resize(x, samples, input);
        resize(addend, samples, output);
        resize(w, samples, output);
        fill(span_of(x), "input");
        fill(span_of(addend), "addend");
        fill(span_of(w), "weights of the sum");

        std::vector<std::uint64_t> ids(samples);
        std::iota(ids.begin(), ids.end(), std::uint64_t{1});
        const pass how{.phase = during, .seed = seed, .step = 1, .samples = ids};
        typename Layer::context context;
        workspace<double> scratch;
        const auto evaluate = [&] {
            if constexpr (adding_layer<Layer>)
                checked.forward(x, addend, y, context, scratch, how);
            else
                checked.forward(x, y, context, scratch, how);
            return std::inner_product(y.data(), y.data() + y.size(), w.data(), 0.0);
        };

        evaluate();
        dy = w;
        dx = x;
        daddend = addend;
        std::fill_n(dx.data(), dx.size(), unset);
        std::fill_n(daddend.data(), daddend.size(), unset);
        std::fill(arenas.gradients().begin(), arenas.gradients().end(), unset);
        tensor<double> x_read = x, y_read = y;
        if (!backward_reads(Layer::reads).input) std::fill_n(x_read.data(), x_read.size(), unset);
        if (!backward_reads(Layer::reads).output) std::fill_n(y_read.data(), y_read.size(), unset);
        const auto wanted = during == phase::frozen ? gradients::input : gradients::both;
        if constexpr (adding_layer<Layer>)
            checked.backward(x_read, y_read, dy, context, scratch, wanted, dx, daddend);
        else
            checked.backward(x_read, y_read, dy, context, scratch, wanted, dx);

        gradient_check_result result;
        const auto compare = [&](const std::string& name, std::span<double> values,
                                 std::span<const double> gradient) {
            const auto draws = keyed("elements of " + name);
            const std::size_t count = std::min(elements, values.size());
            double largest = 0.01, difference = 0;
            for (std::size_t number = 0; number < count; ++number) {
                const std::size_t i = count == values.size() ? number : draws.bits(number) % values.size();
                const double value = values[i];
                const auto error_with = [&](double step) {
                    values[i] = value + step;
                    const double above = evaluate();
                    values[i] = value - step;
                    const double below = evaluate();
                    values[i] = value;
                    const double numeric = (above - below) / (2 * step);
                    largest = std::max(largest, std::abs(numeric));
                    return std::abs(gradient[i] - numeric);
                };
                double error = error_with(1e-5);
                // Perhaps a kink of the layer lies within the step: a shorter one then tells it from a wrong
                // gradient.
                if (!(error < 1e-8)) error = std::min(error, error_with(1e-6));
                difference =
                    std::max(difference, std::isnan(error) ? std::numeric_limits<double>::infinity() : error);
            }
            const double relative = difference / largest;
            if (result.where.empty() || relative > result.worst_error) result = {relative, name};
        };
        compare("input", span_of(x), span_of(dx));
        if constexpr (adding_layer<Layer>) compare("addend", span_of(addend), span_of(daddend));
        if (wants_parameters(wanted))
            for (auto* item : parameters)
                compare(item->name, {item->value, item->size()}, {item->gradient, item->size()});

        return result;
    }

}  // namespace frostline
