// SPDX-License-Identifier: MIT
// Counts the calls of operator new in the program. It defines the operators, so that exactly one file of a
// test executable may include it. Never inlined: g++ would warn of a malloc that meets a delete.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

inline std::atomic<std::size_t> allocations{0};

[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* found = std::malloc(size > 0 ? size : 1)) return found;
    throw std::bad_alloc();
}

// The sanitizers' own would not pass the call on.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size > 0 ? size : 1);
}

[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
    ++allocations;
    const auto step = static_cast<std::size_t>(alignment);
    if (void* found = std::aligned_alloc(step, (size + step - 1) / step * step)) return found;
    throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void* pointer) noexcept { std::free(pointer); }
[[gnu::noinline]] void operator delete(void* pointer, std::size_t) noexcept { std::free(pointer); }
[[gnu::noinline]] void operator delete(void* pointer, std::align_val_t) noexcept { std::free(pointer); }
[[gnu::noinline]] void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept {
    std::free(pointer);
}

/// How often `body` allocates.
template <class Body>
std::size_t allocations_of(const Body& body) {
    const std::size_t before = allocations;
    body();
    return allocations - before;
}
