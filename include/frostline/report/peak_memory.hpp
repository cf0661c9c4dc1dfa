// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace frostline::inline FROSTLINE_ISA {

/// Largest resident memory of this process in bytes, since it started or since the last
/// `reset_peak_memory()`: VmHWM of Linux. `std::nullopt` where the system does not tell.
inline std::optional<std::uint64_t> peak_memory_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string field; status >> field;) {
        if (field == "VmHWM:") {
            std::uint64_t kibibytes = 0;
            if (status >> kibibytes) return kibibytes * 1024;
        }
    }
    return std::nullopt;
}

/// Lets the peak start again from the memory that is in use now, so that each run of a comparison has its
/// own. False where the system does not allow it: the peak then still covers all of the process so far.
inline bool reset_peak_memory() {
#if defined(__GLIBC__)
    // What an earlier run has freed may still be resident, and would count for the next one.
    ::malloc_trim(0);
#endif
    std::ofstream clear_refs("/proc/self/clear_refs");
    clear_refs << 5 << std::flush;
    return clear_refs.good();
}

/// The peak of one run, measured from `start()`. Observers that start it together agree, since the process
/// has one peak; runs that overlap in time share it.
class peak_memory_meter {
public:
    void start() { started_ = reset_peak_memory(); }

    /// `std::nullopt` where the peak could not be reset, rather than the peak of something else.
    std::optional<std::uint64_t> bytes() const { return started_ ? peak_memory_bytes() : std::nullopt; }

private:
    bool started_ = false;
};

}  // namespace frostline
