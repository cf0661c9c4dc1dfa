// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/io/safetensors_file.hpp"
#include "frostline/io/safetensors_writer.hpp"
#include "frostline/io/torch_layout.hpp"
#include "frostline/io/weights_report.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

namespace detail {

/// What PyTorch's batch norm counts beside its running statistics, and frostline does not; empty for other
/// arrays.
inline std::string batch_count_beside(const std::string& name) {
    constexpr std::string_view variance = ".running_var";
    if (!name.ends_with(variance)) return "";
    return name.substr(0, name.size() - variance.size()) + ".num_batches_tracked";
}

}  // namespace detail

/// Adds all parameters and running statistics of a network under torchvision's names and in PyTorch's
/// layouts.
template <class Network>
void add_weights(safetensors_writer& writer, Network& network) {
    using T = typename Network::value_type;
    for (const auto& array : weight_arrays(network)) {
        const auto stored = writer.add<T>(array.name, array.shape);
        for_each_place(array.layout,
                       [&](std::size_t ours, std::size_t theirs) { stored[theirs] = array.values[ours]; });
        if (const auto count = detail::batch_count_beside(array.name); !count.empty())
            writer.add<std::int64_t>(count, {})[0] = 0;
    }
}

/// Writes the weights of a network to a safetensors file, which PyTorch's load_state_dict takes: parameters
/// and running statistics under torchvision's names and in PyTorch's layouts. The file is replaced whole, or
/// left as it was.
/// @param metadata  strings to go with them
/// @throws data_error when it cannot be written
template <class Network>
void save_weights(Network& network, const std::filesystem::path& path,
                  const std::map<std::string, std::string>& metadata = {}) {
    safetensors_writer writer;
    writer.set_metadata("format", "pt");
    for (const auto& [key, value] : metadata) writer.set_metadata(key, value);
    add_weights(writer, network);
    writer.write(path);
}

struct load_options {
    bool replace_head = false;  ///< leaves the last block that learns as it is, whatever the file has for it
};

/// What load_weights would say, without loading anything. Arrays whose names begin with "frostline." belong
/// to a checkpoint's other state, and are passed over.
/// @throws data_error for an array of the network's name that is not of floating point
template <class Network>
[[nodiscard]] weights_report compare_weights(Network& network, const safetensors_file& file,
                                             const load_options& options = {}) {
    std::set<std::string> known;
    weights_report report{.file = file.name()};
    for (const auto& array : weight_arrays(network)) {
        known.insert({array.name, detail::batch_count_beside(array.name)});
        if (options.replace_head && array.in_head) {
            report.replaced.push_back(array.name);
            continue;
        }
        const stored_array* found = file.find(array.name);
        require<data_error>(found == nullptr || is_floating_point(found->type), file.name(), ": '",
                            array.name, "' is ", found ? format_of(found->type).name : "",
                            ", expected float32 or float64");
        if (found == nullptr)
            report.missing.push_back(array.name);
        else if (found->shape != array.shape)
            report.mismatched.push_back({array.name, found->shape, array.shape});
        else
            report.loaded.push_back(array.name);
    }
    for (const auto& array : file.arrays())
        if (!known.contains(array.name) && !array.name.starts_with("frostline."))
            report.unexpected.push_back(array.name);
    return report;
}

/// Loads from a safetensors file in PyTorch's layouts what has a name and a shape of the network's, and
/// leaves the rest of the network as it is. Sees to no more than that: look at the report, or let it throw by
/// require_complete().
/// @throws data_error for an array of the network's name that is not of floating point
template <class Network>
[[nodiscard]] weights_report load_weights(Network& network, const safetensors_file& file,
                                          const load_options& options = {}) {
    using T = typename Network::value_type;
    auto report = compare_weights(network, file, options);
    const std::set<std::string> fitting(report.loaded.begin(), report.loaded.end());
    std::vector<T> stored;
    for (const auto& array : weight_arrays(network)) {
        if (!fitting.contains(array.name)) continue;
        stored.resize(array.values.size());
        file.copy<T>(*file.find(array.name), stored);
        for_each_place(array.layout,
                       [&](std::size_t ours, std::size_t theirs) { array.values[ours] = stored[theirs]; });
    }
    return report;
}

/// The same for the file of this path. @throws data_error also when it is not in order
template <class Network>
[[nodiscard]] weights_report load_weights(Network& network, const std::filesystem::path& path,
                                          const load_options& options = {}) {
    return load_weights(network, safetensors_file(path), options);
}

}  // namespace frostline
