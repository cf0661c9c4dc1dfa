// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/io/safetensors_writer.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a file keeps a number as: whole ones and truths as int64, others as they are.
template <class Number>
using stored_number = std::conditional_t<std::floating_point<Number>, Number, std::int64_t>;

/// A visitor of `for_each_state(visit)` that adds to a safetensors file whatever it is shown: numbers,
/// vectors and spans of numbers, and numbers that may be absent.
class state_writer {
public:
    /// @param prefix  of all names
    state_writer(safetensors_writer& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

    /// @throws argument_error for a name that is taken
    template <class Value>
    void operator()(std::string_view name, const Value& value) {
        const std::string full = prefix_ + std::string(name);
        if constexpr (std::is_arithmetic_v<Value>) {
            using stored = stored_number<Value>;
            file_.add<stored>(full, {})[0] = static_cast<stored>(value);
        } else if constexpr (std::same_as<Value, std::optional<double>>) {
            const auto number = file_.add<double>(full, {value ? std::size_t{1} : 0});
            if (value) number[0] = *value;
        } else if constexpr (std::same_as<Value, std::vector<std::optional<double>>>) {
            const auto present = file_.add<std::uint8_t>(full + ".present", {value.size()});
            const auto numbers = file_.add<double>(full, {value.size()});
            for (std::size_t i = 0; i < value.size(); ++i) {
                present[i] = value[i].has_value();
                numbers[i] = value[i].value_or(0);
            }
        } else if constexpr (std::same_as<Value, std::vector<bool>>) {
            std::ranges::copy(value, file_.add<std::uint8_t>(full, {value.size()}).begin());
        } else {
            using stored = stored_number<std::ranges::range_value_t<Value>>;
            std::ranges::transform(value, file_.add<stored>(full, {value.size()}).begin(),
                                   [](auto number) { return static_cast<stored>(number); });
        }
    }

private:
    safetensors_writer& file_;
    std::string prefix_;
};

}  // namespace frostline
