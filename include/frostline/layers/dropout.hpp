// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/random.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

struct dropout_options {
    double probability = 0.5;  ///< of an element to be dropped, in [0, 1)
};

/// Sets elements to zero at random in training and scales the others by 1 / (1 - probability); identity in
/// inference (Srivastava et al. 2014). Whether an element is dropped is a function of (seed, step, sample id,
/// name, element).
template <class T>
class dropout {
public:
    using value_type = T;
    struct context {
        aligned_vector<T> factors;  ///< 0 or 1 / (1 - probability) for each element; none where frozen
    };
    static constexpr backward_reads reads{};

    /// `name` tells the layers of a network apart. @throws argument_error for a probability outside [0, 1)
    explicit dropout(std::string_view name, dropout_options options = {})
        : key_(hash_of(name)), probability_(options.probability) {
        require<argument_error>(probability_ >= 0 && probability_ < 1, "dropout ", name,
                                ": the probability must lie in [0, 1), found ", probability_);
    }

    sample_shape output_shape(const sample_shape& input) const { return input; }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const { return "dropout"; }

    /// Without sample ids the rows' numbers stand for them. @throws argument_error for ids that are not one a
    /// row
    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>&, const pass& how) {
        resize(y, samples_of(x), shape_of(x));
        if (how.phase != phase::training) {
            if (remembers(how.phase)) remembered.factors.clear();
            parallel_ranges(x.size(), grain, [&](std::size_t begin, std::size_t end) {
                std::copy(x.data() + begin, x.data() + end, y.data() + begin);
            });
            return;
        }
        require<argument_error>(how.samples.empty() || how.samples.size() == samples_of(x),
                                "dropout: expected an id for each of ", samples_of(x), " samples, found ",
                                how.samples.size());
        remembered.factors.resize(x.size());
        const std::size_t size = shape_of(x).size();
        const T scale = static_cast<T>(1 / (1 - probability_));
        T* factors = remembered.factors.data();
        parallel_ranges(x.size(), grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end;) {
                const std::size_t row = i / size, row_end = std::min(end, (row + 1) * size);
                const std::uint64_t sample = how.samples.empty() ? row : how.samples[row];
                const random_stream draws(how.seed, purpose::dropout, scramble(how.step) ^ key_, sample);
                for (; i < row_end; ++i) {
                    factors[i] = draws.uniform(i - row * size) < probability_ ? T{0} : scale;
                    y.data()[i] = x.data()[i] * factors[i];
                }
            }
        });
    }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context& remembered, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        resize(dx, samples_of(dy), shape_of(dy));
        parallel_ranges(dy.size(), grain, [&](std::size_t begin, std::size_t end) {
            if (remembered.factors.empty())
                std::copy(dy.data() + begin, dy.data() + end, dx.data() + begin);
            else
                for (std::size_t i = begin; i < end; ++i) dx.data()[i] = dy.data()[i] * remembered.factors[i];
        });
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}

private:
    static constexpr std::size_t grain = 8192;

    std::uint64_t key_;
    double probability_;
};

}  // namespace frostline
