// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/kernels/normalisation.hpp"
#include "frostline/kernels/shared_statistics.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

struct batch_norm_options {
    double momentum = 0.1;  ///< weight of the newest batch in the running statistics
    double epsilon = 1e-5;  ///< added to the variance
};

/// Batch normalisation over samples and positions, channel by channel (Ioffe and Szegedy 2015). Training
/// normalises by the batch and moves the running statistics, inference uses them. Parameters "<name>.weight"
/// and "<name>.bias", buffers "<name>.running_mean" and "<name>.running_var" (unbiased, as in PyTorch).
template <class T>
class batch_norm {
public:
    using value_type = T;
    struct context {
        aligned_vector<T> mean;
        aligned_vector<T> inverse_deviation;
        bool frozen = false;  // by the running statistics
        kernels::shared_statistics shared{};
    };
    static constexpr backward_reads reads{.input = true};

    /// @throws argument_error without channels, for momentum outside [0, 1] or an epsilon that is not
    /// positive
    batch_norm(const std::string& name, std::size_t channels, batch_norm_options options = {})
        : channels_(channels),
          options_(options),
          weight_{.name = name + ".weight",
                  .shape = {channels},
                  .initial = initialiser::constant(1),
                  .decays = false},
          bias_{.name = name + ".bias",
                .shape = {channels},
                .initial = initialiser::constant(0),
                .decays = false},
          running_mean_(name + ".running_mean", channels, T{0}),
          running_var_(name + ".running_var", channels, T{1}) {
        require<argument_error>(channels > 0, "batch_norm ", name, ": expected at least one channel");
        require<argument_error>(options.momentum >= 0 && options.momentum <= 1, "batch_norm ", name,
                                ": momentum must lie in [0, 1], found ", options.momentum);
        require<argument_error>(options.epsilon > 0, "batch_norm ", name,
                                ": epsilon must be positive, found ", options.epsilon);
    }

    /// @throws shape_error for another number of channels
    sample_shape output_shape(const sample_shape& input) const {
        require<shape_error>(input.channels == channels_, "batch_norm ", name(), ": expected ", channels_,
                             " channels, found an input of ", input);
        return input;
    }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const { return "batch_norm"; }

    /// @throws shape_error in training for a single value a channel, which has no variance
    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>& scratch,
                 const pass& how) {
        const sample_shape shape = output_shape(shape_of(x));
        resize(y, samples_of(x), shape);
        const std::size_t rows = samples_of(x) * shape.height * shape.width;
        const auto coefficients = scratch.array(2 * channels_);
        T *scale = coefficients->data(), *shift = scale + channels_;
        if (remembers(how.phase)) remembered.frozen = how.phase == phase::frozen;
        if (how.phase == phase::training) {
            const auto partial = scratch.array(kernels::column_scratch_size(rows, channels_) + channels_);
            T* variance = partial->data();
            remembered.mean.resize(channels_);
            remembered.inverse_deviation.resize(channels_);
            T* mean = remembered.mean.data();
            kernels::column_statistics(rows, channels_, x.data(), mean, variance, variance + channels_);
            remembered.shared.start(how.reduction);
            const std::size_t all_rows =
                remembered.shared.combine(rows, channels_, running_mean_.values.data(), mean, variance);
            require<shape_error>(all_rows > 1, "batch_norm ", name(),
                                 ": training needs more than one value a channel, found ", all_rows);
            kernels::update_running_statistics(all_rows, channels_, mean, variance, options_.momentum,
                                               running_mean_.values.data(), running_var_.values.data());
            kernels::batch_norm_coefficients(channels_, mean, variance, weight_.value, bias_.value,
                                             options_.epsilon, remembered.inverse_deviation.data(), scale,
                                             shift);
        } else {
            kernels::batch_norm_coefficients<T>(channels_, running_mean_.values.data(),
                                                running_var_.values.data(), weight_.value, bias_.value,
                                                options_.epsilon, nullptr, scale, shift);
        }
        kernels::normalise<T>(rows, channels_, x.data(), scale, shift, nullptr, false, y.data());
    }

    void backward(const tensor<T>& x, const tensor<T>&, tensor<T>& dy, context& remembered,
                  workspace<T>& scratch, gradients wanted, tensor<T>& dx) {
        const sample_shape shape = shape_of(x);
        const std::size_t rows = samples_of(x) * shape.height * shape.width;
        if (remembered.frozen) {
            const auto coefficients = scratch.array(2 * channels_);
            T *scale = coefficients->data(), *shift = scale + channels_;
            kernels::batch_norm_coefficients<T>(channels_, running_mean_.values.data(),
                                                running_var_.values.data(), weight_.value, bias_.value,
                                                options_.epsilon, nullptr, scale, shift);
            std::fill_n(shift, channels_, T{0});
            resize(dx, samples_of(x), shape);
            kernels::normalise<T>(rows, channels_, dy.data(), scale, shift, nullptr, false, dx.data());
            return;
        }
        const T *mean = remembered.mean.data(), *inverse_deviation = remembered.inverse_deviation.data();
        const auto partial = scratch.array(kernels::column_scratch_size(rows, channels_) + 2 * channels_);
        T *sum_dy = partial->data(), *sum_dy_xhat = sum_dy + channels_;
        kernels::batch_norm_backward_sums<T>(rows, channels_, dy.data(), nullptr, x.data(), mean,
                                             inverse_deviation, dy.data(), sum_dy, sum_dy_xhat,
                                             partial->data() + 2 * channels_);
        if (wants_parameters(wanted)) {
            std::copy_n(sum_dy, channels_, bias_.gradient);
            std::copy_n(sum_dy_xhat, channels_, weight_.gradient);
        }
        if (!wants_input(wanted)) return;
        remembered.shared.share(channels_, sum_dy, sum_dy_xhat);
        resize(dx, samples_of(x), shape);
        kernels::batch_norm_backward_input<T>(rows, channels_, dy.data(), x.data(), mean, inverse_deviation,
                                              weight_.value, sum_dy, sum_dy_xhat, dx.data());
    }

    template <class Visitor>
    void for_each_parameter(Visitor&& visit) {
        visit(weight_);
        visit(bias_);
    }
    template <class Visitor>
    void for_each_buffer(Visitor&& visit) {
        visit(running_mean_);
        visit(running_var_);
    }

private:
    std::string name() const {
        return weight_.name.substr(0, weight_.name.size() - std::string(".weight").size());
    }

    std::size_t channels_;
    batch_norm_options options_;
    parameter<T> weight_;
    parameter<T> bias_;
    buffer<T> running_mean_;
    buffer<T> running_var_;
};

}  // namespace frostline
