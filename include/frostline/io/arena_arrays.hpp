// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/io/safetensors_file.hpp"
#include "frostline/io/safetensors_writer.hpp"
#include "frostline/io/torch_layout.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

namespace detail {

/// Calls visit(array, its part of `state`) for each parameter of a network, where `state` is laid out like
/// the values in the network's arenas.
template <class Network, class T, class Visitor>
void for_each_arena_array(Network& network, std::span<T> state, const Visitor& visit) {
    const auto values = network.arenas().values();
    for (const auto& array : weight_arrays(network)) {
        const auto* const first = array.values.data();
        // Running statistics lie elsewhere.
        if (std::less<>()(first, values.data()) || !std::less<>()(first, values.data() + values.size()))
            continue;
        const auto offset = static_cast<std::size_t>(first - values.data());
        require<shape_error>(offset + array.values.size() <= state.size(), "there are ", state.size(),
                             " values of state beside ", values.size(), " of the network");
        visit(array, state.subspan(offset, array.values.size()));
    }
}

}  // namespace detail

/// Adds what is laid out like the values of a network, such as momentum: an array for each parameter, as
/// PyTorch would lay it out, under `prefix` and the parameter's name.
/// @throws shape_error when there are fewer values than the parameters need
template <class T, class Network>
void add_arena(safetensors_writer& writer, Network& network, const std::string& prefix,
               std::span<const T> state) {
    detail::for_each_arena_array(network, state, [&](const auto& array, std::span<const T> values) {
        const auto stored = writer.add<T>(prefix + array.name, array.shape);
        for_each_place(array.layout,
                       [&](std::size_t ours, std::size_t theirs) { stored[theirs] = values[ours]; });
    });
}

/// Loads what add_arena wrote.
/// @throws data_error when an array is missing or has another shape
template <class T, class Network>
void load_arena(const safetensors_file& file, Network& network, const std::string& prefix,
                std::span<T> state) {
    std::vector<T> stored;
    detail::for_each_arena_array(network, state, [&](const auto& array, std::span<T> values) {
        const stored_array* found = file.find(prefix + array.name);
        require<data_error>(found != nullptr, file.name(), ": '", prefix, array.name, "' is missing");
        require<data_error>(found->shape == array.shape, file.name(), ": '", found->name, "' has the shape ",
                            shape_text(found->shape), ", expected ", shape_text(array.shape));
        stored.resize(values.size());
        file.copy<T>(*found, stored);
        for_each_place(array.layout,
                       [&](std::size_t ours, std::size_t theirs) { values[ours] = stored[theirs]; });
    });
}

}  // namespace frostline
