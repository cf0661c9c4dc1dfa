// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"

// With background_loop.hpp, the only include of oneTBB.
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstddef>
#include <memory>

namespace frostline::inline FROSTLINE_ISA {

/// The threads that all of the library computes on.
class thread_pool {
public:
    static thread_pool& instance() {
        static thread_pool pool;
        return pool;
    }

    void resize(int threads) {
        require<argument_error>(threads >= 1, "the number of threads must be at least 1, found ", threads);
        if (threads == threads_) return;
        // TBB caps the whole process at the number of cores unless told otherwise.
        limit_ = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                       static_cast<std::size_t>(threads));
        arena_ = std::make_unique<tbb::task_arena>(threads);
        threads_ = threads;
    }

    int threads() const { return threads_; }
    tbb::task_arena& arena() { return *arena_; }

private:
    // As many as there are cores that the process may run on: a launcher or a container may leave it few.
    thread_pool() { resize(std::max(1, tbb::info::default_concurrency())); }

    int threads_ = 0;
    std::unique_ptr<tbb::global_control> limit_;
    std::unique_ptr<tbb::task_arena> arena_;
};

/// The one knob for parallelism: every loop of the library runs on at most this many threads. Not to be
/// called while training runs. @throws argument_error below 1
inline void set_threads(int threads) { thread_pool::instance().resize(threads); }

inline int threads() { return thread_pool::instance().threads(); }

/// Number of the calling thread inside a parallel loop, in [0, threads()): the index of its private scratch.
inline std::size_t worker_index() {
    if (threads() == 1) return 0;
    return static_cast<std::size_t>(tbb::this_task_arena::current_thread_index());
}

namespace detail {

/// A loop body behind one type: oneTBB's templates are then compiled once a translation unit, not once a
/// loop, which took more than half of the compile time of a network. The call through a pointer is one a
/// task.
struct loop_body {
    const void* object;
    void (*call)(const void* object, std::size_t begin, std::size_t end);

    template <class Body>
    explicit loop_body(const Body& body)
        : object(&body), call([](const void* self, std::size_t begin, std::size_t end) {
              (*static_cast<const Body*>(self))(begin, end);
          }) {}
};

/// Isolated: a thread that waits here for others never picks up a task of an enclosing loop, whose scratch it
/// would overwrite. One thread runs its loops itself: an arena of one has room for a second one that calls,
/// which would have the index 1 in scratch for one.
template <class Partitioner>
void run_loop(std::size_t count, std::size_t grain, loop_body body) {
    if (count == 0) return;
    if (threads() == 1) return body.call(body.object, 0, count);
    const auto run = [=] {
        tbb::parallel_for(
            tbb::blocked_range<std::size_t>(0, count, grain),
            [=](const tbb::blocked_range<std::size_t>& range) {
                body.call(body.object, range.begin(), range.end());
            },
            Partitioner{});
    };
    thread_pool::instance().arena().execute([&] { tbb::this_task_arena::isolate(run); });
}

}  // namespace detail

/// Runs body(begin, end) over parts of [0, count) of at least `grain` each; the parts vary from run to run,
/// so body must give the same result however the range is cut.
template <class Body>
void parallel_ranges(std::size_t count, std::size_t grain, const Body& body) {
    detail::run_loop<const tbb::auto_partitioner>(count, std::max<std::size_t>(1, grain),
                                                  detail::loop_body(body));
}

/// Runs body(index) for every index in [0, count), each as a task of its own.
template <class Body>
void parallel_for(std::size_t count, const Body& body) {
    const auto each = [&](std::size_t begin, std::size_t end) {
        for (std::size_t index = begin; index != end; ++index) body(index);
    };
    detail::run_loop<const tbb::simple_partitioner>(count, 1, detail::loop_body(each));
}

}  // namespace frostline
