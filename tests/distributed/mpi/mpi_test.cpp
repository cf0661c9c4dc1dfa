// SPDX-License-Identifier: MIT
#include "frostline/distributed/mpi.hpp"

#include "shared_run.hpp"
#include "support/catch.hpp"

using namespace shared_run;

TEST_CASE("processes sum and broadcast in place, and count the bytes") {
    together([] {
        mpi& processes = world();
        REQUIRE(processes.rank() < processes.size());
        CHECK(processes.processes_here() == processes.size());
        const auto mine = static_cast<double>(processes.rank() + 1);
        const auto size = static_cast<double>(processes.size());
        const double total = size * (size + 1) / 2;
        const std::uint64_t before = processes.bytes();

        std::vector<double> numbers{mine, 10 * mine};
        processes.sum(std::span(numbers));
        CHECK(numbers == std::vector<double>{total, 10 * total});
        std::vector<float> first(70'000, static_cast<float>(mine)), second(3, static_cast<float>(-mine));
        processes.start_sum(std::span(first));
        processes.start_sum(std::span(second));
        processes.progress();
        processes.sum(std::span(numbers));  // in between
        processes.wait();
        CHECK(first == std::vector<float>(70'000, static_cast<float>(total)));
        CHECK(second == std::vector<float>(3, static_cast<float>(-total)));
        CHECK(numbers == std::vector<double>{size * total, 10 * size * total});
        processes.wait();  // for nothing

        std::uint64_t told = processes.rank() == 0 ? 42 : 0;
        processes.broadcast(std::as_writable_bytes(std::span(&told, 1)));
        CHECK(told == 42);
        CHECK(processes.bytes() - before == 2 * 2 * sizeof(double) + 70'003 * sizeof(float) + sizeof told);
    });
}
