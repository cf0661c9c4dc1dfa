// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

namespace detail {

class open_file {
public:
    open_file(const std::filesystem::path& path, int flags)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    int descriptor() const { return descriptor_; }
    bool is_open() const { return descriptor_ >= 0; }
    // An error of a network's file system may show only here.
    bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

private:
    int descriptor_;
};

inline bool write_all(int descriptor, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        constexpr std::size_t most = std::size_t{1} << 30;
        const auto count = ::write(descriptor, bytes.data(), std::min(bytes.size(), most));
        if (count < 0 && errno != EINTR) return false;
        if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace detail

/// The bytes of a regular file. @throws data_error that names the file when it cannot be read
inline aligned_vector<std::byte> read_whole_file(const std::filesystem::path& path) {
    const auto ensure = [&](bool condition) {
        const int code = errno;
        require<data_error>(condition, path.string(), ": cannot be read (",
                            std::generic_category().message(code), ")");
    };
    const detail::open_file file(path, O_RDONLY | O_NONBLOCK);  // a pipe would wait for a writer
    ensure(file.is_open());
    struct stat status {};
    ensure(::fstat(file.descriptor(), &status) == 0);
    require<data_error>(S_ISREG(status.st_mode), path.string(), ": cannot be read (it is no regular file)");
    aligned_vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto count = ::read(file.descriptor(), bytes.data() + done, bytes.size() - done);
        ensure(count >= 0 || errno == EINTR);
        if (count == 0) break;  // it was cut off meanwhile
        if (count > 0) done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
}

namespace detail {

// Where a link leads, so that it goes on leading there. A device is not replaced by a file.
inline std::filesystem::path replaced_path(const std::filesystem::path& path) {
    std::error_code problem;
    const auto status = std::filesystem::status(path, problem);
    require<data_error>(!std::filesystem::exists(status) || std::filesystem::is_regular_file(status) ||
                            std::filesystem::is_directory(status),
                        path.string(), ": cannot be written (it is no regular file)");
    // By hand: weakly_canonical leaves a link alone whose file is still to come.
    constexpr int most_links = 40;
    auto target = path;
    for (int links = 0; links < most_links && std::filesystem::is_symlink(target, problem); ++links)
        target = target.parent_path() / std::filesystem::read_symlink(target, problem);
    return target;
}

}  // namespace detail

/// Refuses a path that replace_file would refuse, and changes nothing. @throws data_error
inline void check_replaceable(const std::filesystem::path& given) {
    const auto path = detail::replaced_path(given);
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    std::error_code ignored;
    const bool is_folder = path.filename().empty() || std::filesystem::is_directory(path, ignored);
    const int code = is_folder ? EISDIR : ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
    require<data_error>(code == 0, path.string(), ": cannot be written (",
                        std::generic_category().message(code), ")");
}

/// Writes the parts one behind the other to a file of a temporary name beside `path`, makes sure that they
/// are on the disk, and renames it: whoever opens `path`, even after a crash, finds the old file or the new
/// one, whole. Where `path` is a link, the file that it leads to is replaced.
/// @throws data_error that names the file when it cannot be written, or is no regular file; what was there is
/// still there then
inline void replace_file(const std::filesystem::path& given,
                         std::span<const std::span<const std::byte>> parts) {
    const auto path = detail::replaced_path(given);
    const std::string temporary = path.string() + "." + std::to_string(::getpid()) + ".part";
    bool exists = false;
    const auto ensure = [&](bool condition) {
        if (condition) return;
        const int code = errno;
        if (exists) std::remove(temporary.c_str());
        throw data_error(
            sentence(path.string(), ": cannot be written (", std::generic_category().message(code), ")"));
    };
    detail::open_file file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    ensure(file.is_open());
    exists = true;
    for (const auto part : parts) ensure(detail::write_all(file.descriptor(), part));
    ensure(::fsync(file.descriptor()) == 0);
    ensure(file.close());
    ensure(std::rename(temporary.c_str(), path.c_str()) == 0);
    // The new name has to be on the disk, too; not every file system can say so of a folder.
    const detail::open_file folder(path.has_parent_path() ? path.parent_path() : ".", O_RDONLY | O_DIRECTORY);
    if (folder.is_open()) ::fsync(folder.descriptor());
}

}  // namespace frostline
