// SPDX-License-Identifier: MIT
// What the seconds of a run are: those of training, in all of its parts, and of evaluation apart from it.
#include "frostline/core/stopwatch.hpp"
#include "frostline/train/checkpoints.hpp"
#include "frostline/train/trainer.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/with_threads.hpp"

#include <chrono>
#include <stop_token>
#include <thread>

using namespace small_run;
using namespace std::chrono_literals;

namespace {

/// Every sample takes its time to read.
struct slow_set : in_memory_dataset<float> {
    std::chrono::milliseconds each;

    template <class T>
    void read(std::size_t index, std::span<T> pixels) const {
        std::this_thread::sleep_for(each);
        in_memory_dataset<float>::read(index, pixels);
    }
};

}  // namespace

TEST_CASE("evaluations are timed apart from training") {
    test_run run(make_network(), answers({0}));
    const stopwatch whole;
    const auto end = run.trains.run(options_for(3), images(32), slow_set{images(4), 50ms});
    CHECK(end.evaluation_seconds >= 3 * 0.05);
    CHECK(end.seconds > 0);
    CHECK(end.seconds + end.evaluation_seconds <= whole.seconds());
}

TEST_CASE("a run that goes on has the seconds of its first part, too") {
    const with_threads one(1);
    const slow_set data{images(64), 5ms};
    const double epoch = 64 * 0.005;  // at least
    const temporary_folder folder;
    std::stop_source stop;
    checkpoints first({.folder = folder / "run"}), second({.folder = folder / "run"});
    test_run part(make_network(), answers({0})), rest(make_network(), answers({0}));
    part.events.on_epoch = [&](const epoch_finished& finished) {
        if (finished.epoch == 3) stop.request_stop();
    };
    const auto stopped = part.trains.run(options_for(4), data, no_data{}, no_data{}, stop.get_token(), first);
    REQUIRE(stopped.stopped);
    second.resume();
    const auto end = rest.trains.run(options_for(4), data, no_data{}, no_data{}, {}, second);
    CHECK(end.seconds >= stopped.seconds + epoch / 2);
    CHECK(stopped.seconds >= 2 * epoch);
}
