// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/image_file.hpp"
#include "frostline/data/in_memory_dataset.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

struct image_folder_options {
    std::size_t size = 224;                     ///< height and width of every sample
    std::size_t memory = std::size_t{4} << 30;  ///< bytes: sets that need no more are decoded once
    std::vector<std::string> class_names{};     ///< in the order of their numbers; empty: those found
    bool skip_unreadable = false;               ///< leaves damaged files out instead of throwing
};

namespace detail {

/// The entries of a folder in the byte order of their names. @throws data_error when it cannot be read
inline std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> entries;
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure))
        entries.push_back(entry->path());
    require<data_error>(!failure, folder.string(), ": cannot be read (", failure.message(), ")");
    std::sort(entries.begin(), entries.end(),
              [](const auto& left, const auto& right) { return left.native() < right.native(); });
    return entries;
}

}  // namespace detail

/// The names of the folders in `folder`, sorted byte by byte: the classes of a tree of images.
/// @throws data_error when the folder cannot be read, and for an entry that leads nowhere: it might be a
/// class
inline std::vector<std::string> class_names_of(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : detail::sorted_entries(folder)) {
        std::error_code ignored;
        const auto status = std::filesystem::status(entry, ignored);
        require<data_error>(std::filesystem::exists(status), entry.string(),
                            ": leads nowhere, expected a file or the folder of a class");
        if (std::filesystem::is_directory(status)) names.push_back(entry.filename().string());
    }
    return names;
}

/// The images FOLDER/<class>/*.{jpg,jpeg,png}, in any case, as samples of one size: the shorter side is
/// resized to that size, and the middle of the longer one is cut out. Classes are numbered, and files follow
/// each other, in the byte order of their names. Which kind an image is, its content says. A sample's id is
/// its place among all files.
///
/// Where the whole set fits the given memory, it is decoded when it is opened and kept as bytes. Otherwise
/// each read decodes its file; the pixels are the same.
class image_folder {
public:
    /// @throws argument_error for a size of 0 or of more than 65,536
    /// @throws data_error when the folder has fewer than 2 classes, one without images or one that is not in
    ///         `class_names`, and for the first damaged image: when it is opened, or when it is read
    explicit image_folder(const std::filesystem::path& folder, const image_folder_options& options = {})
        : size_(options.size), class_names_(options.class_names) {
        constexpr std::size_t largest = 1u << 16;  // more than JPEG has, and its square is far from overflow
        require<argument_error>(size_ > 0 && size_ <= largest, "the size of the images of ", folder.string(),
                                " is ", size_, ", expected from 1 to ", largest);
        auto found = list(folder);
        std::vector<std::string> problems;
        const bool fits = found.paths.size() <= options.memory / shape().size();
        if (fits || options.skip_unreadable) {
            tensor<std::uint8_t> pixels;
            if (fits) resize(pixels, found.paths.size(), shape());
            problems = decode_all(found, pixels, options.skip_unreadable);
            require<data_error>(!found.paths.empty(), folder.string(), ": none of its ", problems.size(),
                                " images is readable; the first: ", problems.empty() ? "" : problems[0]);
            if (fits) held_.emplace(std::move(pixels), found.targets, classes());
        }
        files_ = std::make_shared<const files>(std::move(found));
        problems_ = std::make_shared<const std::vector<std::string>>(std::move(problems));
    }

    std::size_t size() const { return files_->paths.size(); }
    sample_shape shape() const { return {size_, size_, 3}; }
    std::size_t classes() const { return class_names_.size(); }
    std::uint64_t sample_id(std::size_t index) const { return files_->ids[index]; }
    std::int32_t target(std::size_t index) const { return files_->targets[index]; }

    /// Pixels in [0, 1]. @throws data_error when the file has to be decoded and is damaged
    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        if (held_) return held_->read(index, pixels);
        thread_local aligned_vector<std::uint8_t> bytes;
        bytes.resize(pixels.size());
        read_image(files_->paths[index], size_, bytes);
        scale_bytes(std::span<const std::uint8_t>(bytes), pixels);
    }

    const std::filesystem::path& path(std::size_t index) const { return files_->paths[index]; }
    const std::vector<std::string>& class_names() const { return class_names_; }
    bool in_memory() const { return held_.has_value(); }

    /// A sentence for each file that was left out.
    const std::vector<std::string>& skipped() const { return *problems_; }

private:
    struct files {
        std::vector<std::filesystem::path> paths;
        std::vector<std::int32_t> targets;
        std::vector<std::uint64_t> ids;
    };

    // Sets the names of the classes, too, where none are given.
    files list(const std::filesystem::path& folder) {
        const auto present = class_names_of(folder);
        if (class_names_.empty()) class_names_ = present;
        require<data_error>(class_names_.size() >= 2, folder.string(), ": has ", class_names_.size(),
                            " folders of classes, expected at least 2");
        files found;
        for (const auto& name : present) {
            const auto place = std::find(class_names_.begin(), class_names_.end(), name);
            require<data_error>(place != class_names_.end(), (folder / name).string(), ": is none of the ",
                                class_names_.size(), " classes: ", class_names_.front(), " to ",
                                class_names_.back());
            const std::size_t before = found.paths.size();
            for (auto& path : detail::sorted_entries(folder / name))
                if (has_image_extension(path)) found.paths.push_back(std::move(path));
            require<data_error>(found.paths.size() > before, (folder / name).string(),
                                ": holds no images, expected files named *.jpg, *.jpeg or *.png");
            found.targets.resize(found.paths.size(), static_cast<std::int32_t>(place - class_names_.begin()));
        }
        require<data_error>(!found.paths.empty(), folder.string(), ": holds no images");
        for (std::size_t index = 0; index < found.paths.size(); ++index) found.ids.push_back(index);
        return found;
    }

    // Into `pixels`, where it has rows. Damaged files are taken out of both.
    std::vector<std::string> decode_all(files& found, tensor<std::uint8_t>& pixels, bool skip) const {
        const std::size_t count = found.paths.size(), row_size = shape().size();
        const bool keep = pixels.size() > 0;
        std::vector<std::string> problem_of(count);
        parallel_for(count, [&](std::size_t index) {
            thread_local aligned_vector<std::uint8_t> scratch;
            if (!keep) scratch.resize(row_size);
            try {
                read_image(found.paths[index], size_,
                           keep ? std::span(pixels.data() + index * row_size, row_size) : std::span(scratch));
            } catch (const data_error& problem) {
                problem_of[index] = problem.what();
            }
        });
        std::vector<std::string> problems;
        std::size_t good = 0;
        for (std::size_t index = 0; index < count; ++index) {
            if (!problem_of[index].empty()) {
                if (!skip) throw data_error(problem_of[index]);
                problems.push_back(std::move(problem_of[index]));
                continue;
            }
            if (good != index) {
                found.paths[good] = std::move(found.paths[index]);
                found.targets[good] = found.targets[index];
                found.ids[good] = found.ids[index];
                if (keep)
                    std::copy_n(pixels.data() + index * row_size, row_size, pixels.data() + good * row_size);
            }
            ++good;
        }
        found.paths.resize(good);
        found.targets.resize(good);
        found.ids.resize(good);
        if (keep) resize(pixels, good, shape());
        return problems;
    }

    std::size_t size_;
    std::vector<std::string> class_names_;
    std::optional<in_memory_dataset<std::uint8_t>> held_;
    std::shared_ptr<const files> files_;  // shared: copies of a data set are cheap
    std::shared_ptr<const std::vector<std::string>> problems_;
};

}  // namespace frostline::inline FROSTLINE_ISA
