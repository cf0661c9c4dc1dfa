// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/data/cifar10.hpp"
#include "frostline/data/idx.hpp"
#include "frostline/data/transforms/normalised.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

enum class dataset_part { train, test };

/// What has to be known of a published set to find it and to feed it.
struct named_dataset {
    std::string_view name;
    std::array<std::string_view, 4> folders;  ///< below a data directory: the usual ones; may be empty
    std::string_view system_folder;           ///< where a Debian package puts it; empty when there is none
    std::string_view first_file;              ///< what a folder with the set has, plain or .gz
    std::array<std::size_t, 2> samples;       ///< as published: to train on, and to test on
    std::size_t size;                         ///< height and width of every sample; 0: as wanted
    std::size_t channels;
    std::array<double, 3> mean;  ///< of each channel of the training images, pixels in [0, 1]
    std::array<double, 3> deviation;
};

inline constexpr std::string_view debian_fashion_mnist = "/usr/share/datasets/fashion-mnist";

/// The known sets, of 10 classes each. Imagenette's samples are in files of their own, which load_imagenette
/// reads.
inline constexpr std::array<named_dataset, 4> named_datasets = {{
    {.name = "mnist",
     .folders = {"mnist", "MNIST/raw"},
     .system_folder = "",
     .first_file = "train-images-idx3-ubyte",
     .samples = {60'000, 10'000},
     .size = 28,
     .channels = 1,
     .mean = {0.1307},
     .deviation = {0.3081}},
    {.name = "fashion-mnist",
     .folders = {"fashion-mnist", "FashionMNIST/raw"},
     .system_folder = debian_fashion_mnist,
     .first_file = "train-images-idx3-ubyte",
     .samples = {60'000, 10'000},
     .size = 28,
     .channels = 1,
     .mean = {0.2860},
     .deviation = {0.3530}},
    {.name = "cifar10",
     .folders = {"cifar-10-batches-bin"},
     .system_folder = "",
     .first_file = cifar10_files.front(),
     .samples = {50'000, 10'000},
     .size = 32,
     .channels = 3,
     .mean = {0.4914, 0.4822, 0.4465},
     .deviation = {0.2470, 0.2435, 0.2616}},
    {.name = "imagenette",
     .folders = {"imagenette2", "imagenette2-320", "imagenette2-224", "imagenette2-160"},
     .system_folder = "",
     .first_file = "train/",
     .samples = {9'469, 3'925},
     .size = 0,
     .channels = 3,
     .mean = {0.485, 0.456, 0.406},  // ImageNet's
     .deviation = {0.229, 0.224, 0.225}},
}};

/// @throws argument_error that lists the known names
inline const named_dataset& find_named(std::string_view name) {
    std::string known;
    for (const auto& set : named_datasets) {
        if (set.name == name) return set;
        known += (known.empty() ? "" : ", ") + std::string(set.name);
    }
    throw argument_error(sentence("there is no data set named \"", name, "\", expected one of: ", known));
}

/// The mean and deviation that networks for the set are usually trained with. @throws argument_error
inline channel_statistics usual_statistics(std::string_view name) {
    const named_dataset& set = find_named(name);
    const auto channels = static_cast<std::ptrdiff_t>(set.channels);
    return {{set.mean.begin(), set.mean.begin() + channels},
            {set.deviation.begin(), set.deviation.begin() + channels}};
}

/// The folders in which `load_named` looks for a set, in this order: those below `data_dir` and `data_dir`
/// itself. Only where `data_dir` is empty: the same for the environment's FROSTLINE_DATA, then Debian's
/// package.
/// @throws argument_error for an unknown name
inline std::vector<std::filesystem::path> places_of(std::string_view name,
                                                    const std::filesystem::path& data_dir) {
    const named_dataset& set = find_named(name);
    const auto ends_like_another = [&](const std::filesystem::path& folder) {
        // Not "/" + ...: g++ 12 warns of an overlap there that is none.
        std::string path("/");
        path += folder.lexically_normal().generic_string();
        return std::any_of(named_datasets.begin(), named_datasets.end(), [&](const named_dataset& other) {
            return other.name != name &&
                   std::any_of(other.folders.begin(), other.folders.end(), [&](auto suffix) {
                       std::string end("/");
                       end += suffix;
                       return !suffix.empty() && (path.ends_with(end) || path.ends_with(end + "/"));
                   });
        });
    };
    // A folder that is named after another set holds that one: their files have the same names.
    const auto is_another = [&](const std::filesystem::path& folder) {
        std::error_code ignored;
        return ends_like_another(folder) ||
               ends_like_another(std::filesystem::weakly_canonical(folder, ignored));
    };
    std::vector<std::filesystem::path> places;
    const auto add = [&](const std::filesystem::path& directory) {
        if (directory.empty()) return;
        for (const auto folder : set.folders)
            if (!folder.empty()) places.push_back(directory / folder);
        if (!is_another(directory)) places.push_back(directory);
    };
    if (!data_dir.empty()) {
        add(data_dir);
        return places;
    }
    if (const char* directory = std::getenv("FROSTLINE_DATA")) add(directory);
    if (!set.system_folder.empty()) places.emplace_back(set.system_folder);
    return places;
}

namespace detail {

/// The file `name` of the folder, or the same with .gz.
/// @throws data_error where it cannot be told whether there is one
inline std::optional<std::filesystem::path> plain_or_compressed(const std::filesystem::path& folder,
                                                                std::string_view name) {
    for (const char* ending : {"", ".gz"}) {
        const auto file = folder / (std::string(name) + ending);
        std::error_code failure;
        if (std::filesystem::exists(file, failure)) return file;
        require<data_error>(!failure, file.string(), ": cannot be read (", failure.message(), ")");
    }
    return std::nullopt;
}

}  // namespace detail

/// The first of `places_of(name, data_dir)` that has the set's first file, from which `load_named` takes both
/// parts of the set.
/// @throws argument_error for an unknown name
/// @throws data_error when there is none (the message lists the places)
inline std::filesystem::path folder_of(std::string_view name, const std::filesystem::path& data_dir) {
    const std::string_view first_file = find_named(name).first_file;
    std::string looked;
    for (const auto& place : places_of(name, data_dir)) {
        if (detail::plain_or_compressed(place, first_file)) return place;
        looked += (looked.empty() ? "" : ", ") + place.string();
    }
    if (looked.empty()) looked = "nowhere, for neither a data directory nor FROSTLINE_DATA is set";
    const bool is_folder = first_file.ends_with('/');
    throw data_error(sentence("the data set ", name, " was not found: expected the ",
                              is_folder ? "folder " : "file ", first_file,
                              is_folder ? "" : " or the same with .gz", ", looked in: ", looked));
}

/// Loads the part of a known set from `folder_of(name, data_dir)`: {train,t10k}-images-idx3-ubyte and
/// {train,t10k}-labels-idx1-ubyte, or CIFAR-10's binary version, each file plain or .gz.
/// @throws argument_error for an unknown name, and for imagenette
/// @throws data_error when the set is not found, lacks a file or is damaged
inline in_memory_dataset<std::uint8_t> load_named(std::string_view name,
                                                  const std::filesystem::path& data_dir, dataset_part part) {
    require<argument_error>(name != "imagenette", "the data set imagenette has files of images, which ",
                            "load_imagenette of data/imagenette.hpp reads; it needs frostline::image");
    const auto folder = folder_of(name, data_dir);
    const auto find = [&](std::string_view file) {
        const auto found = detail::plain_or_compressed(folder, file);
        require<data_error>(found.has_value(), "the data set ", name, " in ", folder.string(),
                            " is not complete: expected the file ", file, " or the same with .gz");
        return *found;
    };
    const bool training = part == dataset_part::train;
    if (name == "cifar10") {
        std::vector<std::filesystem::path> files;
        for (const auto file : cifar10_files)
            if ((file != cifar10_files.back()) == training) files.push_back(find(file));
        return load_cifar10(files);
    }
    const std::string prefix = training ? "train" : "t10k";
    const auto images = find(prefix + "-images-idx3-ubyte");
    return load_idx(images, find(prefix + "-labels-idx1-ubyte"));
}

}  // namespace frostline::inline FROSTLINE_ISA
