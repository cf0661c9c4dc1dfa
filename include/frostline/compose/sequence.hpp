// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// Layers one behind the other, as one layer; an adding_layer when its last layer is one.
template <layer... Layers>
class sequence {
    static_assert(sizeof...(Layers) > 0, "frostline: a sequence needs at least one layer");
    static constexpr std::size_t count = sizeof...(Layers);
    using last_layer = std::tuple_element_t<count - 1, std::tuple<Layers...>>;

public:
    using value_type = typename last_layer::value_type;
    static_assert((std::same_as<value_type, typename Layers::value_type> && ...),
                  "frostline: all layers of a sequence need the same value_type");
    using T = value_type;
    static constexpr backward_reads reads{
        .input = std::tuple_element_t<0, std::tuple<Layers...>>::reads.input,
        .output = last_layer::reads.output};

    struct context {
        std::tuple<typename Layers::context...> layers;
        std::array<tensor<T>, count - 1> outputs;  // of all layers but the last
    };

    explicit sequence(Layers... layers) : layers_(std::move(layers)...) {}

    sample_shape output_shape(const sample_shape& input) const {
        sample_shape shape = input;
        each([&](const auto& layer) { shape = layer.output_shape(shape); });
        return shape;
    }

    flop_counts flops(const sample_shape& input) const {
        flop_counts total;
        sample_shape shape = input;
        bool is_first = true;
        each([&](const auto& layer) {
            auto flops = layer.flops(shape);
            if (!std::exchange(is_first, false))
                flops.backward_inner += std::exchange(flops.backward_input, 0);
            total += flops;
            shape = layer.output_shape(shape);
        });
        return total;
    }

    std::string description() const {
        std::string text;
        each([&](const auto& layer) { text += (text.empty() ? "" : " + ") + description_of(layer); });
        return text;
    }
    std::size_t remembered_bytes(const sample_shape& input) const {
        std::size_t bytes = 0, index = 0;
        sample_shape shape = input;
        each([&](const auto& layer) {
            bytes += remembered_bytes_of(layer, shape);
            shape = layer.output_shape(shape);
            if (++index < count) bytes += shape.size() * sizeof(T);
        });
        return bytes;
    }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>& workspace,
                 const pass& how) {
        forward_from<0>(x, y, remembered, workspace, how);
    }
    void forward(const tensor<T>& x, const tensor<T>& addend, tensor<T>& y, context& remembered,
                 workspace<T>& workspace, const pass& how) requires adding_layer<last_layer> {
        forward_from<0>(x, y, remembered, workspace, how, addend);
    }

    void backward(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                  workspace<T>& workspace, gradients wanted, tensor<T>& dx) {
        backward_from<count - 1>(x, y, dy, remembered, workspace, wanted, dx);
    }
    void backward(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                  workspace<T>& workspace, gradients wanted, tensor<T>& dx,
                  tensor<T>& daddend) requires adding_layer<last_layer> {
        backward_from<count - 1>(x, y, dy, remembered, workspace, wanted, dx, daddend);
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visit) {
        each([&](auto& layer) { layer.for_each_parameter(visit); });
    }
    template <class Visitor>
    void for_each_buffer(const Visitor& visit) {
        each([&](auto& layer) { layer.for_each_buffer(visit); });
    }
    template <class Visitor>
    void for_each_layer(const sample_shape& input, const Visitor& visit) {
        sample_shape shape = input;
        each([&](auto& layer) {
            frostline::for_each_layer(layer, shape, visit);
            shape = layer.output_shape(shape);
        });
    }

private:
    template <class Visitor>
    void each(const Visitor& visit) {
        std::apply([&](auto&... layer) { (visit(layer), ...); }, layers_);
    }
    template <class Visitor>
    void each(const Visitor& visit) const {
        std::apply([&](const auto&... layer) { (visit(layer), ...); }, layers_);
    }

    // `Addend` is empty, or the one tensor that the last layer adds.
    template <std::size_t Index, class... Addend>
    void forward_from(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>& workspace,
                      const pass& how, const Addend&... addend) {
        auto& current = std::get<Index>(layers_);
        auto& own = std::get<Index>(remembered.layers);
        if constexpr (Index + 1 == count) {
            current.forward(x, addend..., y, own, workspace, how);
        } else if (remembers(how.phase)) {
            current.forward(x, remembered.outputs[Index], own, workspace, how);
            forward_from<Index + 1>(remembered.outputs[Index], y, remembered, workspace, how, addend...);
        } else {
            auto output = workspace.borrow(0, {});
            current.forward(x, *output, own, workspace, how);
            forward_from<Index + 1>(*output, y, remembered, workspace, how, addend...);
        }
    }

    template <std::size_t Index, class... Addend>
    void backward_from(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                       workspace<T>& workspace, gradients wanted, tensor<T>& dx, Addend&... daddend) {
        auto& current = std::get<Index>(layers_);
        auto& own = std::get<Index>(remembered.layers);
        if constexpr (Index == 0) {
            current.backward(x, y, dy, own, workspace, wanted, dx, daddend...);
        } else {
            const auto& input = remembered.outputs[Index - 1];
            auto dinput = workspace.borrow(0, {});
            // The layers before need the input's gradient whatever is wanted of the whole.
            const auto inner = wants_parameters(wanted) ? gradients::both : gradients::input;
            current.backward(input, y, dy, own, workspace, inner, *dinput, daddend...);
            backward_from<Index - 1>(x, input, *dinput, remembered, workspace, wanted, dx);
        }
    }

    std::tuple<Layers...> layers_;
};

}  // namespace frostline
