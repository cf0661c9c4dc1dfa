// SPDX-License-Identifier: MIT
// Files in IDX format, good and hostile.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace idx_files {

using byte_string = std::vector<std::uint8_t>;

inline byte_string header(std::uint32_t magic, const std::vector<std::uint32_t>& dimensions) {
    byte_string bytes;
    const auto append = [&](std::uint32_t number) {
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::uint8_t>(number >> shift));
    };
    append(magic);
    for (const auto extent : dimensions) append(extent);
    return bytes;
}

/// Pixel number i of all is i modulo 251.
inline byte_string images(std::uint32_t samples, std::uint32_t height, std::uint32_t width) {
    byte_string bytes = header(0x803, {samples, height, width});
    for (std::size_t pixel = 0; pixel < std::size_t{samples} * height * width; ++pixel) {
        bytes.push_back(static_cast<std::uint8_t>(pixel % 251));
    }
    return bytes;
}

inline byte_string labels(const byte_string& values) {
    byte_string bytes = header(0x801, {static_cast<std::uint32_t>(values.size())});
    bytes.insert(bytes.end(), values.begin(), values.end());
    return bytes;
}

inline void write(const std::filesystem::path& path, const byte_string& bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

inline byte_string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_compressed(const std::filesystem::path& path, const byte_string& bytes) {
    std::filesystem::create_directories(path.parent_path());
    gzFile file = gzopen(path.c_str(), "wb");
    const int written = gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    if (gzclose(file) != Z_OK || written != static_cast<int>(bytes.size())) {
        throw std::runtime_error("cannot write " + path.string());
    }
}

}  // namespace idx_files
