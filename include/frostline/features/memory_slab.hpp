// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A piece of memory straight from the system, to which it goes back at once: an allocator might keep it.
class memory_slab {
public:
    memory_slab() = default;
    /// Holds nothing when the system has no memory left.
    explicit memory_slab(std::size_t size)
        : data_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
          size_(size) {
        if (data_ == MAP_FAILED) data_ = nullptr, size_ = 0;
    }
    memory_slab(memory_slab&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    memory_slab& operator=(memory_slab&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~memory_slab() {
        if (data_) ::munmap(data_, size_);
    }

    std::byte* data() const { return static_cast<std::byte*>(data_); }
    std::size_t size() const { return size_; }

private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace frostline
