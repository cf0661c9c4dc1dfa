// SPDX-License-Identifier: MIT
// The bytes as an IDX array in memory, and as a file, where gzip unpacks them first: read, or a data_error.
#include "frostline/data/idx.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

template <class Action>
void read_or_reject(const Action& action) {
    try {
        action();
    } catch (const frostline::data_error&) {
    }
}

template <class Source>
void read_images(Source&& source) {
    read_or_reject([&] {
        const auto images = frostline::read_idx_images_from(source);
        if (images.size() == 0 || images.storage().size() != images.size()) std::abort();
    });
}

template <class Source>
void read_labels(Source&& source) {
    read_or_reject([&] {
        if (frostline::read_idx_labels_from(source).empty()) std::abort();
    });
}

/// A file without a name, in memory.
const std::string& scratch_file(const std::uint8_t* data, std::size_t size) {
    static const int descriptor = ::memfd_create("idx_fuzz", 0);
    static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    if (::ftruncate(descriptor, 0) != 0 ||
        ::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size)) {
        std::abort();
    }
    return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    read_images(frostline::memory_bytes(bytes));
    read_labels(frostline::memory_bytes(bytes));
    const std::string& path = scratch_file(data, size);
    read_images(frostline::file_bytes(path));
    read_labels(frostline::file_bytes(path));
    return 0;
}
