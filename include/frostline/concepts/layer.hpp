// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/parameter.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/core/workspace.hpp"

#include <concepts>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

/// Which of its forward tensors a layer reads again in backward. What nobody reads may be overwritten in
/// place.
struct backward_reads {
    bool input = false;
    bool output = false;
};

/// Stands for any visitor when a concept has to name one.
struct any_visitor {
    template <class Visited>
    void operator()(Visited&&) const {}
};

/// A layer: the smallest thing that maps a batch to a batch.
///
/// Requirements on a type `L`, with `T = L::value_type` (float or double):
/// 1. `L::value_type` and an `L::context`, default-constructible and movable: all that one training pass must
///    remember for its backward pass. A frozen layer's context is thrown away.
/// 2. `L::reads`, a `backward_reads` constant.
/// 3. `l.output_shape(s) -> sample_shape`; throws shape_error when the layer cannot take samples of shape
/// `s`.
/// 4. `l.flops(s) -> flop_counts` for one sample of shape `s`.
/// 5. `l.forward(x, y, context, workspace, pass)`: sizes `y` itself (by `resize`) and overwrites it. In
/// training it
///    may write the context and the running statistics; in inference it writes nothing but `y`, and each row
///    of `y` depends on its row of `x` alone, to the bit. In the phase `frozen` it computes as in inference
///    and writes the context too, for a backward pass that wants the input's gradient only.
/// 6. `l.backward(x, y, dy, context, workspace, wanted, dx)`: `x` and `y` are those of the last training (or
/// frozen) forward
///    (only what `reads` names is valid). Overwrites `dx` and the gradients of the parameters as `wanted`
///    says, never accumulates. `dy` is scratch from then on. May be called once for each training forward.
/// 7. `l.for_each_parameter(visit)` and `l.for_each_buffer(visit)` visit `parameter<T>&` and `buffer<T>&`,
/// always
///    the same ones in the same order.
///
/// A layer is used by one thread at a time and may use `parallel_for` inside. Nothing may be allocated after
/// the first pass of a given shape, and the result must not depend on how loops were cut. The smallest model
/// is layer_archetype in testing/archetypes.hpp; check_gradients in testing/gradient_check.hpp tests one of
/// your own.
template <class L>
concept layer = requires(L l, const L c, const sample_shape shape, const tensor<typename L::value_type>& in,
                         tensor<typename L::value_type>& out, typename L::context& context,
                         workspace<typename L::value_type>& scratch, const pass& how, gradients wanted) {
    requires std::floating_point<typename L::value_type>;
    requires std::default_initializable<typename L::context> && std::movable<typename L::context>;
    { L::reads } -> std::convertible_to<backward_reads>;
    { c.output_shape(shape) } -> std::same_as<sample_shape>;
    { c.flops(shape) } -> std::same_as<flop_counts>;
    l.forward(in, out, context, scratch, how);
    l.backward(in, in, out, context, scratch, wanted, out);
    l.for_each_parameter(any_visitor{});
    l.for_each_buffer(any_visitor{});
};

/// A layer whose output has another tensor added to it before the final ReLU, in the same pass over memory:
/// the last layer of a residual block.
///
/// On top of `layer`:
/// 1. `l.forward(x, addend, y, context, workspace, pass)`: `addend` has the shape of `y`.
/// 2. `l.backward(x, y, dy, context, workspace, wanted, dx, daddend)`: `daddend` is sized and overwritten
/// too.
template <class L>
concept adding_layer = layer<L> &&
    requires(L l, const tensor<typename L::value_type>& in, tensor<typename L::value_type>& out,
             typename L::context& context, workspace<typename L::value_type>& scratch, const pass& how,
             gradients wanted) {
    l.forward(in, in, out, context, scratch, how);
    l.backward(in, in, out, context, scratch, wanted, out, out);
};

/// What a layer says of itself for people, "linear 512 -> 10", by an optional `l.description() ->
/// std::string`.
template <layer L>
std::string description_of(const L& described) {
    if constexpr (requires { described.description(); })
        return described.description();
    else
        return "layer";
}

/// Bytes that the context of a layer holds for one sample of a training pass, beside its input and output: by
/// an optional `l.remembered_bytes(s) -> std::size_t`, else taken to be none.
template <layer L>
std::size_t remembered_bytes_of(const L& described, const sample_shape& input) {
    if constexpr (requires { described.remembered_bytes(input); })
        return described.remembered_bytes(input);
    else
        return 0;
}

/// Calls visit(layer, input shape) for every layer that `whole` is composed of, in the order of its
/// parameters: by an optional `whole.for_each_layer(s, visit)`, as sequence and residual have it, else for
/// `whole` alone.
template <layer L, class Visitor>
void for_each_layer(L& whole, const sample_shape& input, const Visitor& visit) {
    if constexpr (requires { whole.for_each_layer(input, visit); })
        whole.for_each_layer(input, visit);
    else
        visit(whole, input);
}

/// Stops compilation with one sentence for each requirement of `layer` that `L` does not meet.
template <class L>
consteval bool explain_layer() {
    static_assert(
        requires { requires std::floating_point<typename L::value_type>; },
        "frostline: a layer needs a member type value_type, float or double");
    static_assert(
        requires {
            requires std::default_initializable<typename L::context> && std::movable<typename L::context>;
        },
        "frostline: a layer needs a member type context, default-constructible and movable");
    static_assert(
        requires {
            { L::reads } -> std::convertible_to<backward_reads>;
        },
        "frostline: a layer needs a constant reads of type backward_reads");
    static_assert(
        requires(const L c, const sample_shape s) {
            { c.output_shape(s) } -> std::same_as<sample_shape>;
        },
        "frostline: a layer needs output_shape(sample_shape) const, returning sample_shape");
    static_assert(
        requires(const L c, const sample_shape s) {
            { c.flops(s) } -> std::same_as<flop_counts>;
        },
        "frostline: a layer needs flops(sample_shape) const, returning flop_counts");
    static_assert(
        requires(L l, const tensor<typename L::value_type>& in, tensor<typename L::value_type>& out,
                 typename L::context& context, workspace<typename L::value_type>& scratch,
                 const pass& how) { l.forward(in, out, context, scratch, how); },
        "frostline: a layer needs forward(x, y, context, workspace, pass)");
    static_assert(
        requires(L l, const tensor<typename L::value_type>& in, tensor<typename L::value_type>& out,
                 typename L::context& context, workspace<typename L::value_type>& scratch,
                 gradients wanted) { l.backward(in, in, out, context, scratch, wanted, out); },
        "frostline: a layer needs backward(x, y, dy, context, workspace, wanted, dx)");
    static_assert(
        requires(L l) { l.for_each_parameter(any_visitor{}); },
        "frostline: a layer needs for_each_parameter(visitor)");
    static_assert(
        requires(L l) { l.for_each_buffer(any_visitor{}); },
        "frostline: a layer needs for_each_buffer(visitor)");
    return true;
}

}  // namespace frostline
