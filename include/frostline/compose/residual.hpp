// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"

#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// A residual block: y = main(x, addend = shortcut(x)). The last layer of `Main` adds and activates in one
/// pass over memory. Without a shortcut layer the addend is x itself; both kinds are one type, so that a
/// stage of residual blocks is a vector (He et al. 2016).
template <adding_layer Main, layer Shortcut>
class residual {
public:
    using value_type = typename Main::value_type;
    using T = value_type;
    static_assert(std::same_as<T, typename Shortcut::value_type>,
                  "frostline: main path and shortcut of a residual block need the same value_type");
    static_assert(
        !Shortcut::reads.output,
        "frostline: a shortcut must not read its output in backward (end it without an activation)");
    static constexpr backward_reads reads{.input = Main::reads.input || Shortcut::reads.input,
                                          .output = Main::reads.output};

    struct context {
        typename Main::context main;
        typename Shortcut::context shortcut;
    };

    explicit residual(Main main, std::optional<Shortcut> shortcut = std::nullopt)
        : main_(std::move(main)), shortcut_(std::move(shortcut)) {}

    sample_shape output_shape(const sample_shape& input) const {
        const auto output = main_.output_shape(input);
        const auto added = shortcut_ ? shortcut_->output_shape(input) : input;
        require<shape_error>(output == added, "residual: the main path gives ", output,
                             ", but the shortcut gives ", added);
        return output;
    }

    flop_counts flops(const sample_shape& input) const {
        return shortcut_ ? main_.flops(input) + shortcut_->flops(input) : main_.flops(input);
    }

    std::string description() const {
        const std::string shortcut = shortcut_ ? description_of(*shortcut_) : "input";
        return "residual (" + description_of(main_) + ") + " + shortcut;
    }
    std::size_t remembered_bytes(const sample_shape& input) const {
        return remembered_bytes_of(main_, input) + (shortcut_ ? remembered_bytes_of(*shortcut_, input) : 0);
    }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>& workspace,
                 const pass& how) {
        if (shortcut_) {
            auto addend = workspace.borrow(0, {});
            shortcut_->forward(x, *addend, remembered.shortcut, workspace, how);
            main_.forward(x, *addend, y, remembered.main, workspace, how);
        } else {
            main_.forward(x, x, y, remembered.main, workspace, how);
        }
    }

    void backward(const tensor<T>& x, const tensor<T>& y, tensor<T>& dy, context& remembered,
                  workspace<T>& workspace, gradients wanted, tensor<T>& dx) {
        auto daddend = workspace.borrow(0, {});
        main_.backward(x, y, dy, remembered.main, workspace, wanted, dx, *daddend);
        if (!shortcut_) {
            if (wants_input(wanted)) add(*daddend, dx);
            return;
        }
        auto dshortcut = workspace.borrow(0, {});
        shortcut_->backward(x, *daddend, *daddend, remembered.shortcut, workspace, wanted, *dshortcut);
        if (wants_input(wanted)) add(*dshortcut, dx);
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visit) {
        main_.for_each_parameter(visit);
        if (shortcut_) shortcut_->for_each_parameter(visit);
    }
    template <class Visitor>
    void for_each_buffer(const Visitor& visit) {
        main_.for_each_buffer(visit);
        if (shortcut_) shortcut_->for_each_buffer(visit);
    }
    template <class Visitor>
    void for_each_layer(const sample_shape& input, const Visitor& visit) {
        frostline::for_each_layer(main_, input, visit);
        if (shortcut_) frostline::for_each_layer(*shortcut_, input, visit);
    }

private:
    static void add(const tensor<T>& from, tensor<T>& to) {
        const T* source = from.data();
        T* target = to.data();
        parallel_ranges(to.size(), 1 << 14, [=](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) target[i] += source[i];
        });
    }

    Main main_;
    std::optional<Shortcut> shortcut_;
};

}  // namespace frostline
