// SPDX-License-Identifier: MIT
// Files in the format safetensors, made by hand.
#pragma once

#include "frostline/core/tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace io_files {

using byte_array = frostline::aligned_vector<std::byte>;

inline byte_array bytes_of_text(std::string_view text) {
    byte_array bytes(text.size());
    if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

/// The length of the header, the header, and bytes 0, 1, 2, ... of data.
inline byte_array safetensors(std::string_view header, std::size_t data, std::uint64_t length) {
    std::string text(sizeof length, '\0');
    std::memcpy(text.data(), &length, sizeof length);
    text += header;
    for (std::size_t index = 0; index < data; ++index) text += static_cast<char>(index);
    return bytes_of_text(text);
}
inline byte_array safetensors(std::string_view header, std::size_t data) {
    return safetensors(header, data, header.size());
}

}  // namespace io_files
