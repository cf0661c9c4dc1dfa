// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <functional>
#include <semaphore>
#include <thread>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A thread that runs one task at a time while the one that started it goes on. For tasks that wait for a
/// disk: in a background_loop they would hold up a thread that computes.
class background_thread {
public:
    background_thread() = default;
    background_thread(const background_thread&) = delete;
    background_thread& operator=(const background_thread&) = delete;
    ~background_thread() {
        wait();
        task_ = nullptr;
        if (thread_.joinable()) {
            begin_.release();
            thread_.join();
        }
    }

    /// Begins `task`, which must not throw, when what was begun before has ended.
    void start(std::function<void()> task) {
        wait();
        if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
        task_ = std::move(task);
        running_ = true;
        begin_.release();
    }

    /// Returns when what was begun has ended.
    void wait() {
        if (running_) end_.acquire();
        running_ = false;
    }

private:
    void work() {
        for (begin_.acquire(); task_; begin_.acquire()) {
            task_();
            end_.release();
        }
    }

    std::function<void()> task_;
    bool running_ = false;  // of the thread that starts and waits
    std::binary_semaphore begin_{0}, end_{0};
    std::thread thread_;
};

}  // namespace frostline::inline FROSTLINE_ISA
