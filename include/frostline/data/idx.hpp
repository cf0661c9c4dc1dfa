// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/byte_source.hpp"
#include "frostline/data/in_memory_dataset.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What an IDX file of unsigned bytes holds: row-major.
template <std::size_t Rank>
struct idx_array {
    std::array<std::size_t, Rank> dimensions{};
    aligned_vector<std::uint8_t> bytes;
};

/// Reads one IDX array of unsigned bytes (LeCun, Cortes, Burges: "The MNIST database": big-endian magic
/// number 0x0000'08'rank, one 32-bit size a dimension, then the bytes) from `source`, which has to end where
/// the array does. Memory grows with the bytes that arrive, whatever the header promises.
/// @throws data_error that names the source and the field when anything is missing, left over or out of range
template <std::size_t Rank, class Source>
idx_array<Rank> read_idx(Source& source) {
    static_assert(Rank >= 1 && Rank <= 3);
    constexpr std::array<std::string_view, 3> fields = {"samples", "height", "width"};

    const auto read_number = [&](std::string_view field) {
        std::array<std::byte, 4> bytes;
        const std::size_t found = source.read(bytes);
        require<data_error>(found == bytes.size(), source.name(), ": ends inside the field ", field,
                            ", found ", found, " of its 4 bytes");
        std::uint32_t number = 0;
        for (const std::byte part : bytes) number = number << 8 | std::to_integer<std::uint32_t>(part);
        return number;
    };
    const auto hexadecimal = [](std::uint32_t number) {
        std::ostringstream text;
        text << "0x" << std::hex << std::setw(8) << std::setfill('0') << number;
        return text.str();
    };

    constexpr std::uint32_t expected_magic = 0x800u + Rank;
    const std::uint32_t magic = read_number("magic");
    require<data_error>(magic == expected_magic, source.name(), ": the field magic is ", hexadecimal(magic),
                        ", expected ", hexadecimal(expected_magic), " (unsigned bytes in ", Rank,
                        Rank == 1 ? " dimension)" : " dimensions)");

    idx_array<Rank> result;
    std::size_t total = 1;
    for (std::size_t axis = 0; axis < Rank; ++axis) {
        const std::size_t extent = read_number(fields[axis]);
        require<data_error>(extent > 0, source.name(), ": the field ", fields[axis],
                            " is 0, expected at least 1");
        require<data_error>(extent <= std::numeric_limits<std::size_t>::max() / 2 / total, source.name(),
                            ": the field ", fields[axis], " is ", extent,
                            ", which makes the array larger than any memory");
        result.dimensions[axis] = extent;
        total *= extent;
    }

    constexpr std::size_t first_chunk = 1u << 16;
    std::size_t arrived = 0;
    while (arrived < total) {
        const std::size_t wanted = std::min(total, std::max(first_chunk, 2 * arrived));
        result.bytes.resize(wanted);
        arrived += source.read(std::as_writable_bytes(std::span(result.bytes).subspan(arrived)));
        require<data_error>(arrived == wanted, source.name(), ": ends after ", arrived, " of the ", total,
                            " bytes of data that its header promises");
    }

    // Also the step in which gzip checks its sum.
    std::byte extra;
    require<data_error>(source.read({&extra, 1}) == 0, source.name(), ": goes on after the ", total,
                        " bytes of data that its header promises, expected its end");
    return result;
}

/// Reads the images of an IDX source as (samples, height, width, 1). @throws data_error
template <class Source>
tensor<std::uint8_t> read_idx_images_from(Source& source) {
    auto array = read_idx<3>(source);
    tensor<std::uint8_t> images;
    images.storage() = std::move(array.bytes);
    resize(images, array.dimensions[0], {array.dimensions[1], array.dimensions[2], 1});
    return images;
}

/// Reads the labels of an IDX source, each in [0, 255]. @throws data_error
template <class Source>
std::vector<std::int32_t> read_idx_labels_from(Source& source) {
    const auto array = read_idx<1>(source);
    return {array.bytes.begin(), array.bytes.end()};
}

/// Reads a file of images in IDX format, plain or .gz, as (samples, height, width, 1). @throws data_error
inline tensor<std::uint8_t> read_idx_images(const std::filesystem::path& path) {
    file_bytes source(path);
    return read_idx_images_from(source);
}

/// Reads a file of labels in IDX format, plain or .gz, each in [0, 255]. @throws data_error
inline std::vector<std::int32_t> read_idx_labels(const std::filesystem::path& path) {
    file_bytes source(path);
    return read_idx_labels_from(source);
}

/// Reads a data set in the format of MNIST, plain or .gz.
/// @throws data_error when a file is damaged, the two disagree, or a label is `classes` or more
inline in_memory_dataset<std::uint8_t> load_idx(const std::filesystem::path& images_path,
                                                const std::filesystem::path& labels_path,
                                                std::size_t classes = 10) {
    auto images = read_idx_images(images_path);
    auto labels = read_idx_labels(labels_path);
    require<data_error>(labels.size() == samples_of(images), labels_path.string(), ": the field samples is ",
                        labels.size(), ", expected ", samples_of(images), " as in ", images_path.string());
    for (std::size_t index = 0; index < labels.size(); ++index) {
        require<data_error>(static_cast<std::size_t>(labels[index]) < classes, labels_path.string(),
                            ": label ", index, " is ", labels[index], ", expected less than ", classes,
                            ", the number of classes");
    }
    return {std::move(images), std::move(labels), classes};
}

}  // namespace frostline::inline FROSTLINE_ISA
