// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/random.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace standalone {

using namespace frostline;

/// Fills with numbers in [-1, 1] that follow from the name.
template <class T>
void fill(T* values, std::size_t size, std::string_view name) {
    const random_stream draws(0, purpose::user, hash_of(name));
    for (std::size_t i = 0; i < size; ++i)
        values[i] = static_cast<T>(static_cast<float>(2 * draws.uniform(i) - 1));
}

template <class T>
tensor<T> random_tensor(std::size_t samples, const sample_shape& shape, std::string_view name) {
    tensor<T> result;
    resize(result, samples, shape);
    fill(result.data(), result.size(), name);
    return result;
}

/// Samples [first, first + count) of a batch.
template <class T>
tensor<T> rows_of(const tensor<T>& x, std::size_t first, std::size_t count) {
    tensor<T> result;
    resize(result, count, shape_of(x));
    const std::size_t size = shape_of(x).size();
    std::copy_n(x.data() + first * size, count * size, result.data());
    return result;
}

template <class T>
bool same_bits(const tensor<T>& left, const tensor<T>& right) {
    return left.shape() == right.shape() &&
           std::memcmp(left.data(), right.data(), left.size() * sizeof(T)) == 0;
}

/// max |left - right| / max |right|; infinite for NaN and for different sizes.
template <class Left, class Right>
double distance(const Left& left, const Right& right) {
    if (left.size() != right.size()) return std::numeric_limits<double>::infinity();
    double apart = 0, largest = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const auto difference =
            std::abs(static_cast<double>(left.data()[i]) - static_cast<double>(right.data()[i]));
        if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
        apart = std::max(apart, difference);
        largest = std::max(largest, std::abs(static_cast<double>(right.data()[i])));
    }
    return apart / std::max(largest, 1e-300);
}

/// A layer with what a network would give it; its parameters follow from their names.
template <layer Layer>
class bound_layer {
public:
    using T = typename Layer::value_type;

    explicit bound_layer(Layer made) : itself(std::move(made)) {
        std::vector<parameter<T>*> parameters;
        itself.for_each_parameter([&](parameter<T>& item) { parameters.push_back(&item); });
        arenas_.bind(parameters);
        for (auto* item : parameters) fill(item->value, item->size(), item->name);
    }
    bound_layer(const bound_layer&) = delete;
    bound_layer& operator=(const bound_layer&) = delete;

    tensor<T> forward(const tensor<T>& x, phase how) {
        tensor<T> y;
        itself.forward(x, y, context, scratch, {.phase = how});
        return y;
    }
    tensor<T> forward(const tensor<T>& x, const tensor<T>& addend, phase how) {
        tensor<T> y;
        itself.forward(x, addend, y, context, scratch, {.phase = how});
        return y;
    }
    /// @return the gradient of x
    tensor<T> backward(const tensor<T>& x, const tensor<T>& y, tensor<T> dy,
                       gradients wanted = gradients::both) {
        tensor<T> dx;
        itself.backward(x, y, dy, context, scratch, wanted, dx);
        return dx;
    }
    tensor<T> backward(const tensor<T>& x, const tensor<T>& y, tensor<T> dy, gradients wanted,
                       tensor<T>& daddend) {
        tensor<T> dx;
        itself.backward(x, y, dy, context, scratch, wanted, dx, daddend);
        return dx;
    }

    parameter<T>& parameter_called(std::string_view name) {
        parameter<T>* found = nullptr;
        itself.for_each_parameter([&](parameter<T>& item) {
            if (item.name == name) found = &item;
        });
        if (found == nullptr) throw std::out_of_range("there is no parameter '" + std::string(name) + "'");
        return *found;
    }
    std::vector<T> value(std::string_view name) {
        const auto& item = parameter_called(name);
        return {item.value, item.value + item.size()};
    }
    std::vector<T> gradient(std::string_view name) {
        const auto& item = parameter_called(name);
        return {item.gradient, item.gradient + item.size()};
    }
    std::vector<T> statistics(std::string_view name) {
        std::vector<T> found;
        itself.for_each_buffer([&](buffer<T>& item) {
            if (item.name == name) found.assign(item.values.begin(), item.values.end());
        });
        return found;
    }

    Layer itself;
    typename Layer::context context{};
    workspace<T> scratch;

private:
    parameter_arenas<T> arenas_;
};

/// Whether each sample's inference output has the same bits alone, in a batch of 3 and in one of 16, wherever
/// it lies.
template <layer Layer>
bool inference_depends_on_the_sample_alone(bound_layer<Layer>& layer, const sample_shape& input) {
    const auto x = random_tensor<typename Layer::value_type>(16, input, "sixteen samples");
    const auto together = layer.forward(x, phase::inference);
    for (const std::size_t count : {1u, 3u})
        for (std::size_t first = 0; first + count <= 16; ++first)
            if (!same_bits(layer.forward(rows_of(x, first, count), phase::inference),
                           rows_of(together, first, count)))
                return false;
    return true;
}

}  // namespace standalone
