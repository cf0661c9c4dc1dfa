// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/data/regular_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// Reads a file, plain or compressed by gzip alike, from its beginning to its end.
class file_bytes {
public:
    /// @throws data_error when the file cannot be opened, and for a pipe or a device
    explicit file_bytes(const std::filesystem::path& path) : name_(path.string()) {
        require_regular_file(path);
        errno = 0;
        file_ = gzopen(path.c_str(), "rb");
        require<data_error>(file_ != nullptr, name_, ": cannot be opened (", std::strerror(errno), ")");
        gzbuffer(file_, 1u << 17);
    }
    file_bytes(const file_bytes&) = delete;
    file_bytes& operator=(const file_bytes&) = delete;
    ~file_bytes() { gzclose_r(file_); }

    const std::string& name() const { return name_; }

    /// Fills `into` from its front and returns how many bytes there were; fewer only at the end of the file.
    /// @throws data_error when the file cannot be read, or is compressed and cut off or corrupt
    std::size_t read(std::span<std::byte> into) {
        constexpr std::size_t most = 1u << 30;  // gzread counts in int
        std::size_t done = 0;
        while (done < into.size()) {
            const auto wanted = static_cast<unsigned>(std::min(into.size() - done, most));
            errno = 0;
            const int got = gzread(file_, into.data() + done, wanted);
            // A compressed file that was cut off shows only here: what came before its end counts as good.
            int code = Z_OK;
            std::string_view message = gzerror(file_, &code);
            // zlib puts the path in front, where ours is already.
            if (message.starts_with(name_ + ": ")) message.remove_prefix(name_.size() + 2);
            require<data_error>(got >= 0 && (code == Z_OK || code == Z_STREAM_END), name_,
                                ": cannot be read (",
                                code == Z_ERRNO ? std::string_view(std::strerror(errno)) : message, ")");
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

private:
    std::string name_;
    gzFile file_ = nullptr;
};

/// Reads bytes that are in memory already, as they are. `name` stands for the file in messages.
class memory_bytes {
public:
    explicit memory_bytes(std::span<const std::byte> bytes, std::string name = "bytes in memory")
        : name_(std::move(name)), rest_(bytes) {}

    const std::string& name() const { return name_; }

    std::size_t read(std::span<std::byte> into) {
        const std::size_t count = std::min(into.size(), rest_.size());
        std::copy_n(rest_.begin(), count, into.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

private:
    std::string name_;
    std::span<const std::byte> rest_;
};

}  // namespace frostline::inline FROSTLINE_ISA
