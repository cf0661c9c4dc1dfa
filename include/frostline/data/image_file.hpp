// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/data/jpeg.hpp"
#include "frostline/data/png.hpp"
#include "frostline/data/regular_file.hpp"
#include "frostline/data/resampler.hpp"
#include "frostline/data/rgb_image.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// Whether a path is that of a file whose name ends in .jpg, .jpeg or .png, in any case.
inline bool has_image_extension(const std::filesystem::path& path) {
    std::string extension = path.extension().string();
    for (char& letter : extension)
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

/// Decodes a JPEG or PNG image, whichever the bytes are. @param shorter_side see decode_jpeg
/// @throws data_error when they are neither, or the image is damaged
inline void decode_image(std::span<const std::uint8_t> bytes, std::string_view name, std::size_t shorter_side,
                         rgb_image& image) {
    constexpr std::array<std::uint8_t, 2> jpeg_start = {0xFF, 0xD8};
    constexpr std::array<std::uint8_t, 4> png_start = {0x89, 'P', 'N', 'G'};
    const auto starts_with = [&](const auto& start) {
        return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
    };
    const bool is_jpeg = starts_with(jpeg_start);
    require<data_error>(is_jpeg || starts_with(png_start), name, ": is neither a JPEG nor a PNG image");
    if (is_jpeg)
        decode_jpeg(bytes, name, shorter_side, image);
    else
        decode_png(bytes, name, image);
}

/// Resizes the shorter side of an image to `size` and cuts out the middle of the longer one, as torchvision's
/// Resize and CenterCrop do. @param pixels size * size * 3 bytes, row-major
inline void fit_square(const rgb_image& image, std::size_t size, resampler& resample,
                       std::span<std::uint8_t> pixels) {
    const std::size_t shorter = std::min(image.height, image.width);
    const auto span_of = [&](std::size_t length) {
        const std::size_t resized = length == shorter ? size : size * length / shorter;
        const double scale = static_cast<double>(length) / static_cast<double>(resized);
        // A half is rounded to even, as Python does.
        const double begin = std::nearbyint(static_cast<double>(resized - size) / 2);
        return std::pair(begin * scale, static_cast<double>(size) * scale);
    };
    const auto [top, height] = span_of(image.height);
    const auto [left, width] = span_of(image.width);
    resample(std::span<const std::uint8_t>(image.pixels), {image.height, image.width, 3},
             {.top = top, .left = left, .height = height, .width = width}, pixels, {size, size, 3});
}

/// Reads an image file as size x size pixels of RGB; see fit_square. Scratch is kept for each thread.
/// @throws data_error that names the file when it cannot be read or is no sound image
inline void read_image(const std::filesystem::path& path, std::size_t size, std::span<std::uint8_t> pixels) {
    thread_local aligned_vector<std::uint8_t> bytes;
    thread_local rgb_image image;
    thread_local resampler resample;

    const std::string& name = path.native();
    require_regular_file(path);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    require<data_error>(file != nullptr, name, ": cannot be opened (", std::strerror(errno), ")");
    std::size_t length = 0;
    do {
        bytes.resize(std::max<std::size_t>(std::size_t{1} << 16, 2 * length));
        length += std::fread(bytes.data() + length, 1, bytes.size() - length, file.get());
    } while (length == bytes.size());
    require<data_error>(std::ferror(file.get()) == 0, name, ": cannot be read (", std::strerror(errno), ")");

    decode_image(std::span(bytes).first(length), name, size, image);
    fit_square(image, size, resample, pixels);
}

}  // namespace frostline::inline FROSTLINE_ISA
