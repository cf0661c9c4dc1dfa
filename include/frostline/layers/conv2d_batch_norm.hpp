// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/kernels/convolution.hpp"
#include "frostline/kernels/normalisation.hpp"
#include "frostline/kernels/shared_statistics.hpp"
#include "frostline/layers/convolution_options.hpp"

#include <algorithm>

namespace frostline::inline FROSTLINE_ISA {

enum class activation { none, relu };

struct conv2d_batch_norm_options {
    convolution_options convolution{};
    std::string norm_name{};  ///< torchvision's path of the batch norm, "features.1"
    bool bias = false;        ///< a bias of the convolution, as torchvision's VGG has; batch norm cancels it
    double momentum = 0.1;
    double epsilon = 1e-5;
    double initial_weight = 1;  ///< of the batch norm; 0 makes a residual block start as the identity
};

/// Convolution, batch norm, an optional addend and an optional ReLU in one layer:
/// y = relu(batch_norm(conv(x) + bias) + addend).
///
/// One layer because this is where memory traffic is saved: the normalisation, the addend and the ReLU take
/// one pass over the convolution's output, and in inference none: batch norm is folded into the convolution's
/// epilogue.
template <class T, activation Activation = activation::relu>
class conv2d_batch_norm {
    static constexpr bool relu = Activation == activation::relu;

public:
    using value_type = T;
    static constexpr backward_reads reads{.input = true, .output = relu};

    struct context {
        tensor<T> convolved;  // what the batch statistics were taken of
        aligned_vector<T> mean;
        aligned_vector<T> inverse_deviation;
        bool frozen = false;  // by the running statistics
        kernels::shared_statistics shared{};
    };

    explicit conv2d_batch_norm(conv2d_batch_norm_options options)
        : options_(std::move(options)),
          weight_(convolution_weight<T>(options_.convolution)),
          running_mean_(options_.norm_name + ".running_mean", channels(), T{0}),
          running_variance_(options_.norm_name + ".running_var", channels(), T{1}) {
        const auto per_channel = [&](const std::string& name, double initial) {
            return parameter<T>{.name = name,
                                .shape = {channels()},
                                .initial = initialiser::constant(initial),
                                .decays = false};
        };
        bias_ = per_channel(options_.convolution.name + ".bias", 0);
        norm_weight_ = per_channel(options_.norm_name + ".weight", options_.initial_weight);
        norm_bias_ = per_channel(options_.norm_name + ".bias", 0);
        require<argument_error>(options_.momentum >= 0 && options_.momentum <= 1, "batch norm '",
                                options_.norm_name, "': momentum must lie in [0, 1], found ",
                                options_.momentum);
        require<argument_error>(options_.epsilon > 0, "batch norm '", options_.norm_name,
                                "': epsilon must be positive, found ", options_.epsilon);
    }

    sample_shape output_shape(const sample_shape& input) const {
        return output_shape_of(geometry_of(options_.convolution, input));
    }
    flop_counts flops(const sample_shape& input) const {
        return flops_of(geometry_of(options_.convolution, input));
    }

    std::string description() const {
        return description_of(options_.convolution) + " + batch_norm" + (relu ? " + relu" : "");
    }
    std::size_t remembered_bytes(const sample_shape& input) const {
        return output_shape(input).size() * sizeof(T);
    }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>& workspace,
                 const pass& how) {
        forward(x, static_cast<const T*>(nullptr), y, remembered, workspace, how);
    }
    void forward(const tensor<T>& x, const tensor<T>& addend, tensor<T>& y, context& remembered,
                 workspace<T>& workspace, const pass& how) {
        forward(x, addend.data(), y, remembered, workspace, how);
    }

    void backward(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                  workspace<T>& workspace, gradients wanted, tensor<T>& dx) {
        backward(x, y, dy, remembered, workspace, wanted, dx, static_cast<tensor<T>*>(nullptr));
    }
    void backward(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                  workspace<T>& workspace, gradients wanted, tensor<T>& dx, tensor<T>& daddend) {
        backward(x, y, dy, remembered, workspace, wanted, dx, &daddend);
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visit) {
        visit(weight_);
        if (options_.bias) visit(bias_);
        visit(norm_weight_);
        visit(norm_bias_);
    }
    template <class Visitor>
    void for_each_buffer(const Visitor& visit) {
        visit(running_mean_);
        visit(running_variance_);
    }

private:
    std::size_t channels() const { return options_.convolution.output_channels; }

    kernels::convolution_geometry batch_geometry(const tensor<T>& x) const {
        auto geometry = geometry_of(options_.convolution, shape_of(x));
        geometry.samples = samples_of(x);
        return geometry;
    }

    void forward(const tensor<T>& x, const T* addend, tensor<T>& y, context& remembered,
                 workspace<T>& workspace, const pass& how) {
        const auto geometry = batch_geometry(x);
        resize(y, geometry.samples, output_shape_of(geometry));
        if (remembers(how.phase)) remembered.frozen = how.phase == phase::frozen;
        if (how.phase == phase::training)
            train(geometry, x, addend, y, remembered, workspace, how.reduction);
        else
            infer(geometry, x, addend, y, workspace);
    }

    void running_coefficients(T* scale, T* shift) const {
        kernels::batch_norm_coefficients(
            channels(), running_mean_.values.data(), running_variance_.values.data(), norm_weight_.value,
            norm_bias_.value, options_.epsilon, static_cast<T*>(nullptr), scale, shift);
    }

    void infer(const kernels::convolution_geometry& geometry, const tensor<T>& x, const T* addend,
               tensor<T>& y, workspace<T>& workspace) {
        auto scale = workspace.array(channels());
        auto shift = workspace.array(channels());
        running_coefficients(scale->data(), shift->data());
        if (options_.bias)
            for (std::size_t c = 0; c < channels(); ++c) (*shift)[c] += bias_.value[c] * (*scale)[c];
        kernels::convolution_forward(
            geometry, x.data(), weight_.value,
            {.scale = scale->data(), .shift = shift->data(), .addend = addend, .relu = relu}, y.data(),
            phase::inference, workspace);
    }

    void train(const kernels::convolution_geometry& geometry, const tensor<T>& x, const T* addend,
               tensor<T>& y, context& remembered, workspace<T>& workspace,
               const batch_reduction& reduction) {
        const std::size_t rows = geometry.samples * geometry.output_positions();
        resize(remembered.convolved, geometry.samples, output_shape_of(geometry));
        remembered.mean.resize(channels());
        remembered.inverse_deviation.resize(channels());
        kernels::convolution_forward(geometry, x.data(), weight_.value,
                                     {.shift = options_.bias ? bias_.value : nullptr},
                                     remembered.convolved.data(), phase::training, workspace);

        auto variance = workspace.array(channels());
        auto scratch = workspace.array(kernels::column_scratch_size(rows, channels()));
        kernels::column_statistics(rows, channels(), remembered.convolved.data(), remembered.mean.data(),
                                   variance->data(), scratch->data());
        remembered.shared.start(reduction);
        const std::size_t all_rows = remembered.shared.combine(
            rows, channels(), running_mean_.values.data(), remembered.mean.data(), variance->data());
        require<shape_error>(all_rows > 1, "batch norm '", options_.norm_name,
                             "' needs more than one value a channel to train, found ", all_rows);
        auto scale = workspace.array(channels());
        auto shift = workspace.array(channels());
        kernels::batch_norm_coefficients(channels(), remembered.mean.data(), variance->data(),
                                         norm_weight_.value, norm_bias_.value, options_.epsilon,
                                         remembered.inverse_deviation.data(), scale->data(), shift->data());
        kernels::update_running_statistics(all_rows, channels(), remembered.mean.data(), variance->data(),
                                           options_.momentum, running_mean_.values.data(),
                                           running_variance_.values.data());
        kernels::normalise(rows, channels(), remembered.convolved.data(), scale->data(), shift->data(),
                           addend, relu, y.data());
    }

    void backward(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                  workspace<T>& workspace, gradients wanted, tensor<T>& dx, tensor<T>* daddend) {
        const auto geometry = batch_geometry(x);
        if (remembered.frozen) return backward_frozen(geometry, x, y, dy, workspace, dx, daddend);
        const std::size_t rows = geometry.samples * geometry.output_positions();
        const T* z = remembered.convolved.data();
        auto sum_dy = workspace.array(channels());
        auto sum_dy_xhat = workspace.array(channels());
        // The addend gets the gradient behind the ReLU, and dy becomes that of the convolution.
        if (daddend) resize(*daddend, geometry.samples, output_shape_of(geometry));
        T* masked = daddend ? daddend->data() : dy.data();
        {
            auto scratch = workspace.array(kernels::column_scratch_size(rows, channels()));
            kernels::batch_norm_backward_sums<T>(rows, channels(), dy.data(), relu ? y.data() : nullptr, z,
                                                 remembered.mean.data(), remembered.inverse_deviation.data(),
                                                 masked, sum_dy->data(), sum_dy_xhat->data(),
                                                 scratch->data());
        }
        if (wants_parameters(wanted)) {
            std::copy_n(sum_dy->data(), channels(), norm_bias_.gradient);
            std::copy_n(sum_dy_xhat->data(), channels(), norm_weight_.gradient);
        }
        remembered.shared.share(channels(), sum_dy->data(), sum_dy_xhat->data());
        kernels::batch_norm_backward_input<T>(rows, channels(), masked, z, remembered.mean.data(),
                                              remembered.inverse_deviation.data(), norm_weight_.value,
                                              sum_dy->data(), sum_dy_xhat->data(), dy.data());
        if (wants_parameters(wanted)) {
            // The batch mean takes the bias out again, so its gradient is zero; summing dy would give
            // rounding noise.
            if (options_.bias) std::fill_n(bias_.gradient, channels(), T{0});
            kernels::convolution_backward_weights(geometry, x.data(), dy.data(), weight_.gradient, workspace);
        }
        if (wants_input(wanted)) {
            resize(dx, geometry.samples, shape_of(x));
            kernels::convolution_backward_input(geometry, dy.data(), weight_.value, dx.data(), workspace);
        }
    }

    // Running statistics are constants: the gradient passes a mask, a scale and the convolution.
    void backward_frozen(const kernels::convolution_geometry& geometry, const tensor<T>& x,
                         const tensor<T>& y, tensor<T>& dy, workspace<T>& workspace, tensor<T>& dx,
                         tensor<T>* daddend) {
        if constexpr (relu)
            parallel_ranges(dy.size(), 1 << 14, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i)
                    dy.data()[i] = y.data()[i] > 0 ? dy.data()[i] : T{0};
            });
        if (daddend) {
            resize(*daddend, geometry.samples, output_shape_of(geometry));
            std::copy_n(dy.data(), dy.size(), daddend->data());
        }
        auto scale = workspace.array(channels());
        auto shift = workspace.array(channels());
        running_coefficients(scale->data(), shift->data());
        std::fill_n(shift->data(), channels(), T{0});
        kernels::normalise<T>(geometry.samples * geometry.output_positions(), channels(), dy.data(),
                              scale->data(), shift->data(), nullptr, false, dy.data());
        resize(dx, geometry.samples, shape_of(x));
        kernels::convolution_backward_input(geometry, dy.data(), weight_.value, dx.data(), workspace);
    }

    conv2d_batch_norm_options options_;
    parameter<T> weight_;
    parameter<T> bias_;
    parameter<T> norm_weight_;
    parameter<T> norm_bias_;
    buffer<T> running_mean_;
    buffer<T> running_variance_;
};

}  // namespace frostline
