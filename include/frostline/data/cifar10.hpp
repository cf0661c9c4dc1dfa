// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/byte_source.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/regular_file.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

inline constexpr std::size_t cifar10_classes = 10;
inline constexpr sample_shape cifar10_shape{32, 32, 3};
inline constexpr std::size_t cifar10_file_records = 10'000;

/// Five files with the training images, in this order, then the one with the test images.
inline constexpr std::array<std::string_view, 6> cifar10_files = {"data_batch_1.bin", "data_batch_2.bin",
                                                                  "data_batch_3.bin", "data_batch_4.bin",
                                                                  "data_batch_5.bin", "test_batch.bin"};

/// Reads labels.size() records of CIFAR-10's binary version (Krizhevsky 2009: one byte for the label, then
/// 1024 for each of red, green and blue) from `source`, which has to end behind the last one. Fills `labels`,
/// and `pixels` as (samples, 32, 32, 3).
/// @throws data_error that names the source when a record is cut off or missing, when something is left over,
///         and for a label of 10 or more
template <class Source>
void read_cifar10_records(Source& source, std::span<std::uint8_t> pixels, std::span<std::int32_t> labels) {
    const std::size_t image_size = cifar10_shape.size(), plane = image_size / cifar10_shape.channels;
    std::array<std::uint8_t, 1 + 3072> record;
    for (std::size_t index = 0; index < labels.size(); ++index) {
        const std::size_t found = source.read(std::as_writable_bytes(std::span(record)));
        require<data_error>(found == record.size(), source.name(), ": ends after ",
                            index * record.size() + found, " bytes, expected ", labels.size() * record.size(),
                            ": ", labels.size(), " images of ", record.size(), " bytes");
        require<data_error>(record[0] < cifar10_classes, source.name(), ": the label of image ", index,
                            " is ", int{record[0]}, ", expected less than ", cifar10_classes);
        labels[index] = record[0];
        std::uint8_t* const image = pixels.data() + index * image_size;
        for (std::size_t channel = 0; channel < cifar10_shape.channels; ++channel) {
            const std::uint8_t* const from = record.data() + 1 + channel * plane;
            for (std::size_t place = 0; place < plane; ++place)
                image[place * cifar10_shape.channels + channel] = from[place];
        }
    }
    std::byte extra;
    require<data_error>(source.read({&extra, 1}) == 0, source.name(), ": goes on after ",
                        labels.size() * record.size(), " bytes, expected its end: ", labels.size(),
                        " images of ", record.size(), " bytes");
}

/// Reads the given files, plain or .gz, one after the other. @throws data_error when one is damaged
inline in_memory_dataset<std::uint8_t> load_cifar10(std::span<const std::filesystem::path> files,
                                                    std::size_t records_per_file = cifar10_file_records) {
    tensor<std::uint8_t> images;
    resize(images, files.size() * records_per_file, cifar10_shape);
    std::vector<std::int32_t> targets(files.size() * records_per_file);
    for (std::size_t number = 0; number < files.size(); ++number) {
        file_bytes source(files[number]);
        const std::size_t first = number * records_per_file;
        read_cifar10_records(source, std::span(images.storage()).subspan(first * cifar10_shape.size()),
                             std::span(targets).subspan(first, records_per_file));
    }
    return {std::move(images), std::move(targets), cifar10_classes};
}

/// The names of the classes, a line each, as batches.meta.txt holds them.
/// @throws data_error when the file cannot be read or has not 10 names
inline std::vector<std::string> read_cifar10_class_names(const std::filesystem::path& path) {
    require_regular_file(path);
    std::ifstream file(path);
    require<data_error>(file.is_open(), path.string(), ": cannot be opened");
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);)
        if (!line.empty()) names.push_back(line);
    require<data_error>(names.size() == cifar10_classes, path.string(), ": holds ", names.size(),
                        " names of classes, expected ", cifar10_classes);
    return names;
}

}  // namespace frostline::inline FROSTLINE_ISA
