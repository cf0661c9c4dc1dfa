// SPDX-License-Identifier: MIT
#include "frostline/core/parallel.hpp"

#include "support/catch.hpp"
#include "support/with_threads.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace frostline;

TEST_CASE("parallel loops visit each index once, on any number of threads") {
    for (const int count : {1, 2, 5}) {
        const with_threads scope(count);
        for (const std::size_t size : {0, 1, 2, 1000}) {
            std::vector<std::atomic<int>> single(size), ranged(size);
            parallel_for(size, [&](std::size_t index) { ++single[index]; });
            parallel_ranges(size, 7, [&](std::size_t begin, std::size_t end) {
                for (std::size_t index = begin; index < end; ++index) ++ranged[index];
            });
            for (std::size_t index = 0; index < size; ++index) {
                CHECK(single[index] == 1);
                CHECK(ranged[index] == 1);
            }
        }
    }
}

TEST_CASE("parallel_ranges takes a grain of zero and one above the count") {
    for (const std::size_t grain : {0, 1000}) {
        std::atomic<std::size_t> visited{0};
        parallel_ranges(10, grain, [&](std::size_t begin, std::size_t end) { visited += end - begin; });
        CHECK(visited == 10);
    }
}

TEST_CASE("worker_index stays below the number of threads") {
    for (const int count : {1, 3}) {
        const with_threads scope(count);
        std::atomic<bool> inside{true};
        parallel_for(200, [&](std::size_t) {
            if (worker_index() >= static_cast<std::size_t>(threads())) inside = false;
        });
        CHECK(inside);
    }
}

TEST_CASE("two threads of a program that call with one thread have the index 0 each") {
    const with_threads scope(1);
    std::atomic<int> inside{0};
    std::array<std::size_t, 2> found{9, 9};
    const auto call = [&](std::size_t caller) {
        parallel_for(1, [&](std::size_t) {
            ++inside;
            while (inside < 2) std::this_thread::yield();  // until both are there
            found[caller] = worker_index();
        });
    };
    std::thread other(call, 1);
    call(0);
    other.join();
    CHECK(found == std::array<std::size_t, 2>{0, 0});
}

TEST_CASE("scratch of a worker survives a nested loop") {
    const with_threads scope(4);
    std::vector<std::size_t> scratch(4);
    std::atomic<int> overwritten{0};
    parallel_for(64, [&](std::size_t index) {
        std::size_t& mine = scratch[worker_index()];
        mine = index;
        std::atomic<std::size_t> sum{0};
        parallel_for(100, [&](std::size_t inner) { sum += inner; });
        if (mine != index || sum != 4950) ++overwritten;
    });
    CHECK(overwritten == 0);
}

TEST_CASE("an exception in a parallel loop reaches the caller") {
    CHECK_THROWS_AS(parallel_for(100,
                                 [](std::size_t index) {
                                     if (index == 50) throw data_error("bad");
                                 }),
                    data_error);
}

TEST_CASE("a loop runs on as many threads as were set, and on no more") {
    const with_threads scope(3);
    std::atomic<int> inside{0}, most{0};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    parallel_for(3, [&](std::size_t) {
        ++inside;
        while (inside < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
    CHECK(std::chrono::steady_clock::now() < end);
    inside = 0;
    parallel_for(200, [&](std::size_t) {
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --inside;
    });
    CHECK(most <= 3);
}

TEST_CASE("set_threads is the one knob and rejects less than one") {
    const int before = threads();
    CHECK(before >= 1);
    {
        const with_threads scope(3);
        CHECK(threads() == 3);
    }
    CHECK_THROWS_AS(set_threads(0), argument_error);
    CHECK_THROWS_WITH(set_threads(-2), "the number of threads must be at least 1, found -2");
    CHECK(threads() == before);
}
