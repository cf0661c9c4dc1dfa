// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"
#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/layer.hpp"
#include "frostline/concepts/scorer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// The smallest type that models `layer`: the identity. A template that compiles with it asks for nothing
/// that the concept does not promise; a layer of one's own can start as a copy of it.
template <class T>
struct layer_archetype {
    using value_type = T;
    struct context {};
    static constexpr backward_reads reads{};

    sample_shape output_shape(const sample_shape& input) const { return input; }
    flop_counts flops(const sample_shape&) const { return {}; }

    void forward(const tensor<T>& x, tensor<T>& y, context&, workspace<T>&, const pass&) { y = x; }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context&, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (wants_input(wanted)) dx = dy;
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}
};

static_assert(layer<layer_archetype<float>>);
static_assert(layer<layer_archetype<double>>);

/// The smallest type that models `freezing_policy`: freezes nothing, and promises nothing more. Neither
/// default-constructible nor assignable, since the concept does not ask for it.
class freezing_policy_archetype {
public:
    static freezing_policy_archetype make() { return {}; }
    freezing_policy_archetype(const freezing_policy_archetype&) = default;
    freezing_policy_archetype& operator=(const freezing_policy_archetype&) = delete;

    std::size_t operator()(const training_view&) const { return 0; }

private:
    freezing_policy_archetype() = default;
};

static_assert(freezing_policy<freezing_policy_archetype>);

/// The smallest type that models `scorer`: it observes nothing and has never any evidence.
struct scorer_archetype {
    static constexpr observations observes{};

    template <class T>
    std::optional<double> operator()(const block_view<T>&) const {
        return std::nullopt;
    }
};

static_assert(scorer<scorer_archetype, float> && scorer<scorer_archetype, double>);

/// The smallest type that models `communicator`, this process alone, and promises nothing more: unlike
/// single_process it can neither be copied nor asked without an object.
class communicator_archetype {
public:
    communicator_archetype() = default;
    communicator_archetype(const communicator_archetype&) = delete;
    communicator_archetype& operator=(const communicator_archetype&) = delete;

    std::size_t rank() const { return 0; }
    std::size_t size() const { return 1; }
    void sum(std::span<float>) {}
    void sum(std::span<double>) {}
    void start_sum(std::span<float>) {}
    void start_sum(std::span<double>) {}
    void progress() {}
    void wait() {}
    void broadcast(std::span<std::byte>) {}
    std::uint64_t bytes() const { return 0; }
};

static_assert(communicator<communicator_archetype>);

}  // namespace frostline
