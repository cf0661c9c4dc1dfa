// SPDX-License-Identifier: MIT
#include "frostline/concepts/communicator.hpp"

#include "frostline/distributed/single_process.hpp"
#include "frostline/testing/archetypes.hpp"
#include "support/catch.hpp"

#include <array>
#include <span>

using namespace frostline;

namespace {

// One requirement is missing in each.
struct has_no_rank : single_process {
    static std::size_t rank() = delete;
};
struct sums_floats_alone : single_process {
    static void sum(std::span<double>) = delete;
    static void sum(std::span<float>) {}
};
struct starts_nothing : single_process {
    template <class T>
    static void start_sum(std::span<T>) = delete;
};
struct never_waits : single_process {
    static void wait() = delete;
};
struct keeps_to_itself : single_process {
    static void broadcast(std::span<std::byte>) = delete;
};
struct counts_nothing : single_process {
    static void bytes() {}
};

static_assert(communicator<single_process>);
static_assert(communicator<communicator_archetype>);
static_assert(!communicator<has_no_rank>);
static_assert(!communicator<sums_floats_alone>);
static_assert(!communicator<starts_nothing>);
static_assert(!communicator<never_waits>);
static_assert(!communicator<keeps_to_itself>);
static_assert(!communicator<counts_nothing>);
static_assert(!communicator<int>);

}  // namespace

TEST_CASE("a single process sums over itself") {
    std::array<double, 2> numbers{1.5, -2};
    single_process alone;
    alone.sum(std::span<double>(numbers));
    alone.start_sum(std::span<double>(numbers));
    alone.progress();
    alone.wait();
    CHECK(numbers == std::array<double, 2>{1.5, -2});
    CHECK(alone.rank() == 0);
    CHECK(alone.size() == 1);
    CHECK(alone.bytes() == 0);
}
