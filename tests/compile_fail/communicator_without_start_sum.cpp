// SPDX-License-Identifier: MIT
// expect: frostline: a communicator needs start_sum\(values\), for std::span<float> and std::span<double>
// expect: frostline: a communicator needs bytes\(\) const, returning std::uint64_t
#include "frostline/concepts/communicator.hpp"

struct blocking {
    std::size_t rank() const { return 0; }
    std::size_t size() const { return 1; }
    void sum(std::span<float>) {}
    void sum(std::span<double>) {}
    void start_sum(std::span<float>) {}
    void progress() {}
    void wait() {}
    void broadcast(std::span<std::byte>) {}
};
static_assert(frostline::explain_communicator<blocking>());
