// SPDX-License-Identifier: MIT
#include "frostline/core/background_loop.hpp"

#include "support/catch.hpp"
#include "support/with_threads.hpp"

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace frostline;

TEST_CASE("a background loop runs every part once, whatever the number of threads") {
    const with_threads threads(GENERATE(1, 2, 4));
    background_loop loop;
    std::vector<std::atomic<int>> runs(1000);
    const auto body = [&](std::size_t begin, std::size_t end) {
        for (std::size_t index = begin; index < end; ++index) ++runs[index];
    };
    for (const std::size_t count : {0, 1, 7, 1000}) {
        for (auto& each : runs) each = 0;
        loop.start(count, 3, body);
        loop.wait();
        for (std::size_t index = 0; index < runs.size(); ++index)
            REQUIRE(runs[index] == (index < count ? 1 : 0));
    }
}

TEST_CASE("a background loop runs while its starter does something else") {
    const with_threads threads(2);
    parallel_for(100, [](std::size_t) {});  // starts the threads
    background_loop loop;
    std::atomic<int> done{0};
    const auto body = [&](std::size_t begin, std::size_t end) { done += static_cast<int>(end - begin); };
    loop.start(50, 1, body);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (done < 50 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    CHECK(done == 50);
    loop.wait();
}

TEST_CASE("other loops run beside a background loop") {
    const with_threads threads(GENERATE(1, 2));
    background_loop loop;
    std::atomic<int> behind{0}, before{0};
    const auto body = [&](std::size_t begin, std::size_t end) { behind += static_cast<int>(end - begin); };
    for (int round = 1; round <= 200; ++round) {
        loop.start(20, 1, body);
        parallel_for(20, [&](std::size_t) { ++before; });
        loop.wait();
        REQUIRE(behind == 20 * round);
        REQUIRE(before == 20 * round);
    }
}

TEST_CASE("what a body throws comes out of wait, and the loop can be started again") {
    background_loop loop;
    std::atomic<int> good{0};
    const auto bad = [](std::size_t, std::size_t) { throw std::runtime_error("the body's"); };
    const auto body = [&](std::size_t begin, std::size_t end) { good += static_cast<int>(end - begin); };
    for (int round = 1; round <= 3; ++round) {
        loop.start(10, 1, bad);
        CHECK_THROWS_WITH(loop.wait(), "the body's");
        loop.start(10, 1, body);
        loop.wait();
        CHECK(good == 10 * round);
    }
}

TEST_CASE("a background loop that is given up, or goes out of scope, no longer uses its body") {
    const with_threads threads(2);
    for (int round = 0; round < 50; ++round) {
        auto used = std::make_unique<std::atomic<int>>(0);
        const auto body = [&](std::size_t, std::size_t) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
            ++*used;
        };
        {
            background_loop loop;
            loop.start(100, 1, body);
            if (round % 2 == 0) loop.cancel();
        }
        const int after = *used;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        CHECK(*used == after);
        CHECK(after <= 100);
    }
}
