// SPDX-License-Identifier: MIT
#include "frostline/report/progress.hpp"

#include "support/catch.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

namespace {

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

class pseudo_terminal {
public:
    explicit pseudo_terminal(unsigned short columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
        REQUIRE(master_ >= 0);
        REQUIRE(::grantpt(master_) == 0);
        REQUIRE(::unlockpt(master_) == 0);
        slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
        REQUIRE(slave_ >= 0);
        termios mode{};
        REQUIRE(::tcgetattr(slave_, &mode) == 0);
        ::cfmakeraw(&mode);
        REQUIRE(::tcsetattr(slave_, TCSANOW, &mode) == 0);
        resize(columns);
        REQUIRE(::fcntl(master_, F_SETFL, O_NONBLOCK) == 0);
    }
    pseudo_terminal(const pseudo_terminal&) = delete;
    pseudo_terminal& operator=(const pseudo_terminal&) = delete;
    ~pseudo_terminal() {
        ::close(slave_);
        ::close(master_);
    }

    void resize(unsigned short columns) {
        winsize size{};
        size.ws_col = columns;
        size.ws_row = 24;
        REQUIRE(::ioctl(slave_, TIOCSWINSZ, &size) == 0);
    }

    int descriptor() const { return slave_; }

    /// All that was written since the last call.
    std::string output() {
        std::string text;
        std::array<char, 4096> part{};
        for (int idle = 0; idle < 5;) {
            const auto count = ::read(master_, part.data(), part.size());
            if (count > 0) {
                text.append(part.data(), static_cast<std::size_t>(count));
            } else {
                ++idle;
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
            }
        }
        return text;
    }

private:
    int master_;
    int slave_ = -1;
};

run_started small_run() {
    run_started run;
    run.epochs = 3;
    run.steps_per_epoch = 10;
    run.batch_size = 32;
    run.training_samples = 320;
    run.blocks = 6;
    return run;
}

step_finished step_of(std::size_t epoch, std::size_t step) {
    step_finished event;
    event.epoch = epoch;
    event.step = step;
    event.samples = 32;
    event.loss = 0.5;
    event.frozen = 2;
    event.dropped = 1;
    return event;
}

epoch_finished first_epoch() {
    epoch_finished event;
    event.epoch = 1;
    event.seconds = 12.34;
    event.train_loss = 0.4321;
    event.train_accuracy = 0.971;
    event.validation_accuracy = 0.965;
    event.test_accuracy = 0.966;
    event.frozen = 2;
    event.dropped = 1;
    return event;
}

/// What a terminal shows: a carriage return goes back to the start of the line and overwrites.
std::string shown(const std::string& output) {
    std::string screen, line;
    std::size_t place = 0;
    for (const char letter : output) {
        if (letter == '\r') {
            place = 0;
        } else if (letter == '\n') {
            screen += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
            line.clear();
            place = 0;
        } else {
            if (place == line.size()) line += ' ';
            line[place++] = letter;
        }
    }
    return screen + line.substr(0, line.find_last_not_of(' ') + 1);
}

void all_events(progress& bar) {
    bar(small_run());
    for (std::size_t step = 0; step < 10; ++step) bar(step_of(0, step));
    bar(decision_taken{});
    bar(frost_line_moved{});
    bar(first_epoch());
    bar(run_finished{});
}

TEST_CASE("Progress writes a line for each epoch, and that alone, to what is no terminal") {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    {
        progress bar("never", pipe[1]);
        all_events(bar);
    }
    ::close(pipe[1]);
    std::array<char, 1000> text{};
    const auto count = ::read(pipe[0], text.data(), text.size());
    REQUIRE(count > 0);
    ::close(pipe[0]);
    CHECK(std::string(text.data(), static_cast<std::size_t>(count)) ==
          "never  epoch 1/3  loss 0.4321  train 97.10 %  validation 96.50 %  test 96.60 %  12.3 s  "
          "frozen 2, dropped 1\n");
    progress closed("never", -1);
    all_events(closed);
}

TEST_CASE("Progress leaves one clean line for each epoch on a terminal") {
    pseudo_terminal terminal(120);
    progress bar("never", terminal.descriptor());
    all_events(bar);
    CHECK(shown(terminal.output()) ==
          "never  epoch 1/3  loss 0.4321  train 97.10 %  validation 96.50 %  test 96.60 %  12.3 s  "
          "frozen 2, dropped 1\n");
}

TEST_CASE("Progress shows the run, the epoch, a bar, the speed, the time left, the loss and the frost line") {
    pseudo_terminal terminal(120);
    progress bar("never", terminal.descriptor());
    bar(small_run());
    bar(step_of(0, 0));
    CHECK(shown(terminal.output()) ==
          "never  epoch 1/3  [##......................]  loss 0.5000  frozen 2, dropped 1");
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    bar(step_of(0, 4));
    const auto text = shown(terminal.output());
    CHECK_THAT(text, ContainsSubstring("never  epoch 1/3  [############............]  "));
    CHECK_THAT(text, Catch::Matchers::Matches(
                         ".* images/s  [0-9]+:[0-9][0-9] left  loss 0[.]5000  frozen 2, dropped 1"));
}

TEST_CASE("Progress redraws at most ten times a second") {
    pseudo_terminal terminal(100);
    progress bar("never", terminal.descriptor());
    bar(small_run());
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t step = 0; step < 1000; ++step) bar(step_of(0, step % 10));
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    const auto output = terminal.output();
    CHECK(static_cast<double>(std::count(output.begin(), output.end(), '\r')) <= 1 + 10 * elapsed.count());
}

TEST_CASE("Progress keeps to the width of the terminal") {
    for (const unsigned short columns : {10, 20, 40, 60, 80, 100}) {
        pseudo_terminal terminal(columns);
        progress bar("learn_and_drop", terminal.descriptor());
        all_events(bar);
        std::size_t width = 0;
        for (const char letter : terminal.output()) {
            width = letter == '\r' || letter == '\n' ? 0 : width + 1;
            REQUIRE(width < columns);
        }
    }
}

TEST_CASE("Progress clears its bar when the run ends in the middle of an epoch") {
    pseudo_terminal terminal(80);
    {
        progress bar("never", terminal.descriptor());
        bar(small_run());
        bar(step_of(0, 0));
    }
    const auto output = terminal.output();
    CHECK_THAT(output, ContainsSubstring("never"));
    CHECK(shown(output).empty());
    CHECK(output.back() == '\r');
}

TEST_CASE("A longer bar leaves nothing behind a shorter one") {
    pseudo_terminal terminal(200);
    progress bar("never", terminal.descriptor());
    bar(small_run());
    auto event = step_of(0, 0);
    event.frozen = event.dropped = 1'000'000'000;
    for (int drawing = 0; drawing < 3; ++drawing) {
        if (drawing == 2) event = step_of(0, 2);
        bar(event);
        std::this_thread::sleep_for(std::chrono::milliseconds(120));
    }
    const auto text = shown(terminal.output());
    CHECK_THAT(text, Catch::Matchers::EndsWith("loss 0.5000  frozen 2, dropped 1"));
}

TEST_CASE("Progress follows a terminal that becomes narrower") {
    pseudo_terminal terminal(100);
    progress bar("never", terminal.descriptor());
    bar(small_run());
    bar(step_of(0, 0));
    terminal.output();
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    terminal.resize(40);
    bar(step_of(0, 1));
    CHECK(terminal.output().size() <= 1 + 39);
}

TEST_CASE("The time left follows from the samples left, the recent speed and the evaluations") {
    pace speed(small_run());
    CHECK_FALSE(speed.samples_per_second());
    CHECK_FALSE(speed.seconds_left(step_of(0, 0)));
    for (std::size_t step = 0; step < 10; ++step) speed.step(static_cast<double>(step), step_of(0, step));
    CHECK(*speed.samples_per_second() == Catch::Approx(32));
    CHECK(*speed.seconds_left(step_of(0, 9)) == Catch::Approx(20));
    CHECK(speed.epoch_share(step_of(0, 4)) == Catch::Approx(0.5));

    // An evaluation of 3 s is no slow step, and two more of them are to come.
    auto epoch = first_epoch();
    epoch.evaluation_seconds = 3;
    speed.epoch(epoch);
    speed.step(100, step_of(1, 10));
    CHECK(*speed.samples_per_second() == Catch::Approx(32));
    CHECK(*speed.seconds_left(step_of(1, 10)) == Catch::Approx(19 + 2 * 3));
}

TEST_CASE("The time left follows the speed soon after blocks were dropped") {
    auto run = small_run();
    run.epochs = 100;
    pace speed(run);
    double now = 0;
    for (std::size_t step = 0; step < 50; ++step) speed.step(now += 1, step_of(step / 10, step));
    speed.change();
    now += 60;  // filling the feature store
    for (std::size_t step = 50; step < 55; ++step) speed.step(now += 0.25, step_of(5, step));
    CHECK(*speed.samples_per_second() == Catch::Approx(128).epsilon(0.05));
}

TEST_CASE("Epochs of a single step still give a time left") {
    auto run = small_run();
    run.steps_per_epoch = 1;
    pace speed(run);
    speed.step(1, step_of(0, 0));
    auto epoch = first_epoch();
    epoch.seconds = 10;
    epoch.evaluation_seconds = 1;
    speed.epoch(epoch);
    speed.step(12, step_of(1, 1));
    CHECK(*speed.seconds_left(step_of(1, 1)) == Catch::Approx(10 + 2));
}

}  // namespace
