// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A temporary file without a name: the system gives its space back when it is closed, however the program
/// ends.
class unnamed_file {
public:
    /// @throws data_error when the folder takes no file
    explicit unnamed_file(const std::filesystem::path& folder) {
        descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (descriptor_ < 0) {  // a file system without O_TMPFILE
            std::string name = (folder / "frostline-XXXXXX").string();
            descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
            require<data_error>(descriptor_ >= 0, "cannot make a temporary file in the folder ",
                                folder.string(), ": ", std::generic_category().message(errno));
            ::unlink(name.c_str());
        }
    }
    unnamed_file(unnamed_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    unnamed_file& operator=(unnamed_file&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~unnamed_file() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    /// @return 0, or the error number
    int write(const std::byte* bytes, std::size_t size, std::size_t offset) const {
        while (size > 0) {
            const auto count = ::pwrite(descriptor_, bytes, size, static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return count < 0 ? errno : ENOSPC;
            bytes += count;
            offset += static_cast<std::size_t>(count);
            size -= static_cast<std::size_t>(count);
        }
        return 0;
    }

    /// @return 0, or the error number; EIO where the file ends too early
    int read(std::byte* bytes, std::size_t size, std::size_t offset) const {
        while (size > 0) {
            const auto count = ::pread(descriptor_, bytes, size, static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return count < 0 ? errno : EIO;
            bytes += count;
            offset += static_cast<std::size_t>(count);
            size -= static_cast<std::size_t>(count);
        }
        return 0;
    }

    /// Tells the system what is read next, so that it can fetch all of it at once.
    void will_read(std::size_t offset, std::size_t size) const {
        ::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size),
                        POSIX_FADV_WILLNEED);
    }

    /// Every read comes where it comes: the system fetches no neighbours.
    void read_at_random() const { ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM); }

    /// Waits until all is on the disk, and gives the system's copies up.
    void flush() const {
        ::fdatasync(descriptor_);
        ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
    }

    /// Gives the space of these bytes back, where the file system can. @return whether it could
    bool release(std::size_t offset, std::size_t size) const {
        return ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                           static_cast<off_t>(offset), static_cast<off_t>(size)) == 0;
    }

private:
    int descriptor_ = -1;
};

}  // namespace frostline::inline FROSTLINE_ISA
