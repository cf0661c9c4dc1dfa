// SPDX-License-Identifier: MIT
#include "frostline/core/background_thread.hpp"

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>

using namespace frostline;

TEST_CASE("a background_thread runs its tasks one after the other, on another thread") {
    background_thread thread;
    thread.wait();  // for nothing
    int sum = 0;
    std::thread::id ran_on;
    for (int task = 1; task <= 100; ++task)
        thread.start([&sum, &ran_on, task] {
            sum = 2 * sum % 1009 + task;
            ran_on = std::this_thread::get_id();
        });
    thread.wait();
    thread.wait();
    int expected = 0;
    for (int task = 1; task <= 100; ++task) expected = 2 * expected % 1009 + task;
    CHECK(sum == expected);
    CHECK(ran_on != std::this_thread::get_id());
    CHECK(ran_on != std::thread::id());
}

TEST_CASE("a background_thread works while the one that started it goes on") {
    background_thread thread;
    std::binary_semaphore go(0);
    std::atomic<bool> done = false;
    thread.start([&] {
        go.acquire();
        done = true;
    });
    CHECK_FALSE(done);
    go.release();
    thread.wait();
    CHECK(done);
}

TEST_CASE("a background_thread ends what it has begun before it goes") {
    bool done = false;
    {
        background_thread thread;
        thread.start([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            done = true;
        });
    }
    CHECK(done);
    const background_thread idle;
}
