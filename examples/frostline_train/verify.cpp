// SPDX-License-Identifier: MIT

#include "settings.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/data/byte_source.hpp"
#include "frostline/data/named_dataset.hpp"

#include "official_files.hpp"  // made of cmake/official_files.txt

#ifdef FROSTLINE_TRAIN_CRYPTO
#include <openssl/evp.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

struct official_file {
    std::string name;  // of a file, or of the folder of a class
    std::uint64_t size;
    std::string sum;  // SHA-256; for a folder the word images, which its size counts
};

std::vector<official_file> official_files_of(std::string_view set) {
    std::vector<official_file> files;
    std::istringstream lines{std::string(official_files)};
    std::string of_set;
    for (official_file file; lines >> of_set >> file.name >> file.size >> file.sum;)
        if (of_set == set) files.push_back(file);
    return files;
}

// Also where the file by which the set is found is missing.
std::filesystem::path folder_with_any(const settings& chosen, const std::vector<official_file>& files) {
    for (const auto& file : files)
        for (const auto& place : frostline::places_of(chosen.data, chosen.data_dir))
            if (frostline::detail::plain_or_compressed(place, file.name)) return place;
    return frostline::folder_of(chosen.data, chosen.data_dir);
}

std::string layout_of(std::string_view set, const std::filesystem::path& folder) {
    const auto path = folder.lexically_normal();
    const std::string last = (path.has_filename() ? path : path.parent_path()).filename().string();
    if (folder == frostline::find_named(set).system_folder) return "Debian's package";
    if (last == "raw") return "torchvision's layout";
    if (last == "cifar-10-batches-bin" || last.starts_with("imagenette2"))
        return "the official archive's layout";
    return last == set ? "the layout of fetch_data.sh" : "files without a folder of their own";
}

#ifdef FROSTLINE_TRAIN_CRYPTO

struct content {
    std::uint64_t size;
    std::string sum;
};

// Of what a compressed file holds.
content content_of(const std::filesystem::path& path) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto require_done = [](int result) {
        frostline::require<frostline::error>(result == 1, "libcrypto cannot compute SHA-256");
    };
    require_done(EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr));
    frostline::file_bytes file(path);
    std::vector<std::byte> part(std::size_t{1} << 20);
    content found{};
    while (const std::size_t count = file.read(part)) {
        require_done(EVP_DigestUpdate(digest.get(), part.data(), count));
        found.size += count;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned length = 0;
    require_done(EVP_DigestFinal_ex(digest.get(), bytes.data(), &length));
    constexpr std::string_view digits = "0123456789abcdef";
    for (const unsigned char byte : std::span(bytes).first(length))
        found.sum += {digits[byte / 16], digits[byte % 16]};
    return found;
}

#endif

std::uint64_t images_in(const std::filesystem::path& folder) {
    std::uint64_t count = 0;
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        std::error_code ignored;
        count += entry->path().extension() == ".JPEG" && entry->is_regular_file(ignored);
    }
    frostline::require<frostline::data_error>(!failure, folder.string(), ": cannot be read (",
                                              failure.message(), ")");
    return count;
}

// What is wrong with it; empty: nothing.
std::string difference(const std::filesystem::path& path, const official_file& official) {
    using frostline::sentence;
    try {
        if (official.sum == "images") {
            const auto count = images_in(path);
            return count == official.size
                       ? ""
                       : sentence("holds ", count, " images, published are ", official.size);
        }
#ifdef FROSTLINE_TRAIN_CRYPTO
        const auto found = content_of(path);
        if (found.size != official.size)
            return sentence("holds ", found.size, " bytes, published are ", official.size);
        if (found.sum != official.sum)
            return sentence("the SHA-256 is ", found.sum, ", published is ", official.sum);
#endif
        return "";
    } catch (const frostline::data_error& failure) {
        return failure.what();
    }
}

}  // namespace

void verify(const settings& chosen) {
    frostline::find_named(chosen.data);
    const auto files = official_files_of(chosen.data);
    const bool counts = files.front().sum == "images";
#ifndef FROSTLINE_TRAIN_CRYPTO
    frostline::require<frostline::argument_error>(
        counts, "--verify needs SHA-256: this program was built without libcrypto (Debian: libssl-dev)");
#endif
    const auto folder = folder_with_any(chosen, files);
    std::cout << chosen.data << " in " << folder.string() << ", " << layout_of(chosen.data, folder) << '\n';
    std::size_t missing = 0, changed = 0;
    for (const auto& file : files) {
        const auto path = frostline::detail::plain_or_compressed(folder, file.name);
        std::string verdict = counts ? "as many images as published" : "as published";
        if (!path) {
            ++missing;
            verdict = "missing";
        } else if (const auto problem = difference(*path, file); !problem.empty()) {
            ++changed;
            verdict = "changed: " + problem;
        }
        std::cout << "  " << (path ? path->lexically_relative(folder).string() : file.name) << ": " << verdict
                  << '\n';
    }
    frostline::require<frostline::data_error>(missing + changed == 0, "the data set ", chosen.data, " in ",
                                              folder.string(), " is not as published: of ", files.size(),
                                              counts ? " folders " : " files ", changed, " are changed and ",
                                              missing, " missing");
}
