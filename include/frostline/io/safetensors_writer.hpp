// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/io/element_type.hpp"
#include "frostline/io/whole_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Collects arrays and writes them as one file in the format safetensors.
class safetensors_writer {
public:
    /// A string under `__metadata__`; a later one of the same key replaces it.
    void set_metadata(const std::string& key, const std::string& value) { metadata_[key] = value; }

    /// Adds an array and @return its elements, to be filled; they stay where they are.
    /// @param shape empty for a single number
    /// @throws argument_error for a name that is taken
    template <class T>
    std::span<T> add(const std::string& name, std::vector<std::size_t> shape) {
        require<argument_error>(name != "__metadata__", "safetensors: no array may be called __metadata__");
        require<argument_error>(names_.insert(name).second, "safetensors: two arrays are called '", name,
                                "'");
        const std::size_t size = elements_of(shape);
        arrays_.push_back({.name = name,
                           .type = element_type_of<T>(),
                           .shape = std::move(shape),
                           .bytes = aligned_vector<std::byte>(size * sizeof(T))});
        return {reinterpret_cast<T*>(arrays_.back().bytes.data()), size};
    }

    /// Adds a copy of `values`. @throws argument_error for a name that is taken, shape_error when the shape
    /// has another number of elements
    template <class T>
    void add(const std::string& name, std::vector<std::size_t> shape, std::span<const T> values) {
        require<shape_error>(elements_of(shape) == values.size(), "safetensors: '", name, "' has ",
                             values.size(), " elements, but its shape ", shape_text(shape), " needs ",
                             elements_of(shape));
        std::ranges::copy(values, add<T>(name, std::move(shape)).begin());
    }

    /// Replaces the file, or leaves it as it was: see replace_file.
    /// @throws data_error when it cannot be written, argument_error when a name or string is not UTF-8
    void write(const std::filesystem::path& path) const {
        with_parts([&](const auto& parts) { replace_file(path, parts); });
    }

    /// The file as write() writes it; arrays of equal elements are in the order in which they were added, and
    /// those of uint8 are the last ones. @throws argument_error when a name or string is not UTF-8
    aligned_vector<std::byte> bytes() const {
        aligned_vector<std::byte> whole;
        with_parts([&](const auto& parts) {
            std::size_t size = 0;
            for (const auto part : parts) size += part.size();
            whole.reserve(size);
            for (const auto part : parts) whole.insert(whole.end(), part.begin(), part.end());
        });
        return whole;
    }

private:
    using json = nlohmann::ordered_json;

    struct array {
        std::string name;
        element_type type;
        std::vector<std::size_t> shape;
        aligned_vector<std::byte> bytes;
    };

    template <class Use>
    void with_parts(const Use& use) const {
        std::vector<const array*> order;
        for (const auto& each : arrays_) order.push_back(&each);
        // The widest elements first, so that each array starts at a multiple of its element's size.
        std::stable_sort(order.begin(), order.end(), [](const array* left, const array* right) {
            return format_of(left->type).bytes > format_of(right->type).bytes;
        });
        const std::string header = header_of(order);
        const std::uint64_t length = header.size();
        std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(&length, 1)),
                                                      std::as_bytes(std::span(header))};
        for (const auto* each : order) parts.emplace_back(each->bytes);
        use(parts);
    }

    std::string header_of(const std::vector<const array*>& order) const {
        json header = json::object();
        if (!metadata_.empty()) header["__metadata__"] = metadata_;
        std::size_t place = 0;
        for (const auto* each : order) {
            header[each->name] = {{"dtype", format_of(each->type).safetensors},
                                  {"shape", each->shape},
                                  {"data_offsets", {place, place + each->bytes.size()}}};
            place += each->bytes.size();
        }
        try {
            std::string text = header.dump();
            text.resize((text.size() + 7) / 8 * 8, ' ');
            return text;
        } catch (const json::type_error&) {
            throw argument_error("safetensors: a name or a string of the metadata is not UTF-8");
        }
    }

    std::map<std::string, std::string> metadata_;
    std::set<std::string> names_;
    std::vector<array> arrays_;
};

}  // namespace frostline
