// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Sums numbers over all processes that hold a share of a batch; empty where this process holds all of it.
/// Layers that need something of the whole batch call it, each process as often and in the same order. What
/// it stands for has to outlive it.
class batch_reduction {
public:
    batch_reduction() = default;

    /// @param sums  called as sums(std::span<double>), which replaces each number by its sum
    template <class Sums>
    static batch_reduction by(Sums& sums) {
        batch_reduction made;
        made.object_ = &sums;
        made.call_ = [](void* object, std::span<double> numbers) { (*static_cast<Sums*>(object))(numbers); };
        return made;
    }

    explicit operator bool() const { return call_ != nullptr; }
    void operator()(std::span<double> numbers) const { call_(object_, numbers); }

private:
    void* object_ = nullptr;
    void (*call_)(void*, std::span<double>) = nullptr;
};

}  // namespace frostline
