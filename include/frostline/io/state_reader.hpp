// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/io/safetensors_file.hpp"
#include "frostline/io/state_writer.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// A visitor of `for_each_state(visit)` that sets whatever it is shown to what a state_writer added: vectors
/// get the size that they had, spans must have it.
class state_reader {
public:
    /// @param prefix  of all names
    state_reader(const safetensors_file& file, std::string prefix)
        : file_(file), prefix_(std::move(prefix)) {}

    /// @throws data_error when it is missing, of another type, or of another size
    template <class Value>
    void operator()(std::string_view name, Value&& value) const {
        using type = std::remove_cvref_t<Value>;
        if constexpr (std::is_arithmetic_v<type>) {
            using stored = stored_number<type>;
            const auto& array = find<stored>(name);
            require<data_error>(array.shape.empty(), "'", array.name, "' has the shape ",
                                shape_text(array.shape), ", expected a single number");
            value = static_cast<type>(number<stored>(array, 0));
        } else if constexpr (std::same_as<type, std::optional<double>>) {
            const auto& array = find<double>(name);
            value = array.size() == 0 ? std::nullopt : std::optional(number<double>(array, 0));
        } else if constexpr (std::same_as<type, std::vector<std::optional<double>>>) {
            std::vector<bool> present;
            (*this)(std::string(name) + ".present", present);
            const auto& array = find<double>(name);
            require_size(array, present.size());
            value.resize(present.size());
            for (std::size_t i = 0; i < present.size(); ++i)
                value[i] = present[i] ? std::optional(number<double>(array, i)) : std::nullopt;
        } else if constexpr (std::same_as<type, std::vector<bool>>) {
            const auto& array = find<std::uint8_t>(name);
            value.resize(array.size());
            for (std::size_t i = 0; i < array.size(); ++i) value[i] = number<std::uint8_t>(array, i) != 0;
        } else {
            using element = std::ranges::range_value_t<type>;
            using stored = stored_number<element>;
            const auto& array = find<stored>(name);
            if constexpr (requires { value.resize(array.size()); }) value.resize(array.size());
            require_size(array, value.size());
            for (std::size_t i = 0; i < array.size(); ++i)
                value[i] = static_cast<element>(number<stored>(array, i));
        }
    }

private:
    template <class Stored>
    const stored_array& find(std::string_view name) const {
        const std::string full = prefix_ + std::string(name);
        const stored_array* const found = file_.find(full);
        require<data_error>(found != nullptr, "'", full, "' is missing");
        constexpr auto type = element_type_of<Stored>();
        require<data_error>(found->type == type, "'", full, "' is ", format_of(found->type).name,
                            ", expected ", format_of(type).name);
        return *found;
    }

    static void require_size(const stored_array& array, std::size_t size) {
        require<data_error>(array.size() == size, "'", array.name, "' has ", array.size(),
                            " elements, expected ", size);
    }

    template <class Stored>
    static Stored number(const stored_array& array, std::size_t index) {
        Stored found;
        std::memcpy(&found, array.bytes.data() + index * sizeof(Stored), sizeof(Stored));
        return found;
    }

    const safetensors_file& file_;
    std::string prefix_;
};

}  // namespace frostline
