// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/isa.hpp"
#include "frostline/report/units.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// How fast a run is, and how long it will still take. All times are in seconds on one monotonic clock.
class pace {
public:
    explicit pace(const run_started& run) : run_(run) {}

    void step(double now, const step_finished& event) {
        if (timing_) {
            const double elapsed = now - last_step_;
            const double kept = std::exp(-elapsed / horizon);
            samples_ = samples_ * kept + static_cast<double>(event.samples);
            seconds_ = seconds_ * kept + elapsed;
        }
        last_step_ = now;
        timing_ = true;
    }

    /// Something else than training comes before the next step: scoring, filling, evaluation.
    void pause() { timing_ = false; }

    /// The network that is executed has changed: the speed so far counts for little.
    void change() {
        pause();
        samples_ *= 0.01;
        seconds_ *= 0.01;
    }

    void epoch(const epoch_finished& event) {
        pause();
        evaluation_seconds_ = event.evaluation_seconds;
        if (seconds_ > 0 || event.seconds <= 0) return;
        // Epochs of a single step have no steps in a row to time.
        samples_ = static_cast<double>(run_.training_samples);
        seconds_ = event.seconds;
    }

    std::optional<double> samples_per_second() const {
        return seconds_ > 0 ? std::optional(samples_ / seconds_) : std::nullopt;
    }

    /// Of the whole run after this step: the remaining samples at the recent speed, and an evaluation for
    /// each epoch, as long as the last one.
    std::optional<double> seconds_left(const step_finished& event) const {
        const auto speed = samples_per_second();
        if (!speed || *speed <= 0) return std::nullopt;
        const double epochs = static_cast<double>(run_.epochs) - static_cast<double>(event.epoch);
        const double samples = (epochs - epoch_share(event)) * static_cast<double>(run_.training_samples);
        return std::max(0.0, samples / *speed) + std::max(0.0, epochs) * evaluation_seconds_;
    }

    /// The share of the current epoch that is done, in [0, 1].
    double epoch_share(const step_finished& event) const {
        if (run_.steps_per_epoch == 0) return 1;
        const auto steps = static_cast<double>(run_.steps_per_epoch);
        const double done = static_cast<double>(event.step) + 1 - static_cast<double>(event.epoch) * steps;
        return std::clamp(done / steps, 0.0, 1.0);
    }

private:
    static constexpr double horizon = 5;  ///< seconds after which a measurement counts a third

    run_started run_;
    bool timing_ = false;  ///< nothing but training since the last step
    double last_step_ = 0;
    double samples_ = 0;
    double seconds_ = 0;
    double evaluation_seconds_ = 0;
};

/// An observer that shows on a terminal how a run gets on: a bar that is redrawn at most 10 times a second,
/// and one line that stays for each epoch. To anything but a terminal it writes those lines alone. A run that
/// ends early, by a stop or an exception, leaves no half-drawn bar behind.
class progress {
public:
    /// @param label names the run, "never"
    /// @param descriptor where to write; the standard error stream leaves a program's output clean
    explicit progress(std::string label, int descriptor = STDERR_FILENO)
        : label_(std::move(label)), descriptor_(descriptor), terminal_(::isatty(descriptor) == 1) {
        std::replace_if(
            label_.begin(), label_.end(), [](char letter) { return letter < ' ' && letter >= 0; }, ' ');
    }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress() { clear(); }

    void operator()(const run_started& event) {
        run_ = event;
        pace_ = pace(event);
        loss_sum_ = loss_samples_ = 0;
    }

    void operator()(const step_finished& event) {
        if (!terminal_) return;
        const auto now = std::chrono::steady_clock::now();
        pace_.step(std::chrono::duration<double>(now.time_since_epoch()).count(), event);
        loss_sum_ += event.loss * static_cast<double>(event.samples);
        loss_samples_ += static_cast<double>(event.samples);
        if (now < next_drawing_) return;
        next_drawing_ = now + std::chrono::milliseconds(100);
        draw(event);
    }

    void operator()(const decision_taken&) { pace_.pause(); }
    void operator()(const frost_line_moved&) { pace_.change(); }

    void operator()(const epoch_finished& event) {
        pace_.epoch(event);
        loss_sum_ = loss_samples_ = 0;
        clear();
        std::vector<part> parts{{epoch_text(event.epoch), 0},
                                {"loss " + format_fixed(event.train_loss, 4), 1},
                                {"train " + format_percent(event.train_accuracy), 5}};
        if (event.validation_accuracy)
            parts.push_back({"validation " + format_percent(event.validation_accuracy), 2});
        if (event.test_accuracy) parts.push_back({"test " + format_percent(event.test_accuracy), 2});
        parts.push_back({format_duration(event.seconds), 4});
        parts.push_back({frost_line_text(event.frozen, event.dropped), 3});
        write(joined(std::move(parts), terminal_ ? columns() : std::string::npos) + "\n");
    }

    void operator()(const run_finished&) { clear(); }

private:
    struct part {
        std::string text;
        int rank;  ///< where columns are short, the highest goes first
    };

    static constexpr std::size_t shortest_bar = 8, longest_bar = 26;  // brackets included

    static std::size_t length(const std::vector<part>& parts) {
        std::size_t total = 2 * (parts.size() - 1);
        for (const auto& item : parts) total += item.text.size();
        return total;
    }

    /// The most important of the parts that fit, in their order.
    static std::vector<part> fitting(std::vector<part> parts, std::size_t columns) {
        while (parts.size() > 1 && length(parts) > columns)
            parts.erase(std::max_element(parts.begin(), parts.end(), [](const part& left, const part& right) {
                return left.rank < right.rank;
            }));
        return parts;
    }

    static std::string joined(std::vector<part> parts, std::size_t columns) {
        parts = fitting(std::move(parts), columns);
        std::string line = parts.front().text;
        for (std::size_t index = 1; index < parts.size(); ++index) line += "  " + parts[index].text;
        return line.substr(0, columns);
    }

    std::string epoch_text(std::size_t epoch) const {
        const std::string number = std::to_string(epoch), all = std::to_string(run_.epochs);
        const std::string padding(all.size() > number.size() ? all.size() - number.size() : 0, ' ');
        return label_ + (label_.empty() ? "epoch " : "  epoch ") + padding + number + "/" + all;
    }

    static std::string frost_line_text(std::size_t frozen, std::size_t dropped) {
        return "frozen " + std::to_string(frozen) + ", dropped " + std::to_string(dropped);
    }

    void draw(const step_finished& event) {
        const std::size_t width = columns();
        std::vector<part> parts{{epoch_text(event.epoch + 1), 0}};
        if (const auto speed = pace_.samples_per_second())
            parts.push_back({format_fixed(*speed, *speed < 10 ? 1 : 0) + " images/s", 4});
        if (const auto left = pace_.seconds_left(event)) parts.push_back({format_clock(*left) + " left", 1});
        parts.push_back({"loss " + format_fixed(loss_sum_ / std::max(1.0, loss_samples_), 4), 3});
        parts.push_back({frost_line_text(event.frozen, event.dropped), 2});

        const std::size_t reserved = shortest_bar + 2;
        if (width > reserved + parts.front().text.size()) {
            parts = fitting(std::move(parts), width - reserved);
            parts.insert(parts.begin() + 1, {bar(pace_.epoch_share(event), width - length(parts) - 2), 0});
        }
        std::string line = joined(std::move(parts), width);
        const std::size_t drawn = line.size();
        if (drawn < drawn_) line.append(std::min(drawn_, width) - drawn, ' ');
        write("\r" + line);
        drawn_ = drawn;
    }

    static std::string bar(double share, std::size_t columns) {
        const std::size_t cells = std::clamp(columns, shortest_bar, longest_bar) - 2;
        const auto filled = static_cast<std::size_t>(share * static_cast<double>(cells));
        return "[" + std::string(filled, '#') + std::string(cells - filled, '.') + "]";
    }

    void clear() {
        if (drawn_ > 0) write("\r" + std::string(std::min(drawn_, columns()), ' ') + "\r");
        drawn_ = 0;
    }

    /// One less than the terminal has, since a full line would wrap.
    std::size_t columns() const {
        winsize size{};
        const bool known = ::ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
        return known ? size.ws_col - std::size_t{1} : 79;
    }

    /// A terminal that has gone away is no reason to end a run.
    void write(std::string_view text) const {
        while (!text.empty()) {
            const auto count = ::write(descriptor_, text.data(), text.size());
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    std::string label_;
    int descriptor_;
    bool terminal_;
    run_started run_;
    pace pace_{run_};
    double loss_sum_ = 0;
    double loss_samples_ = 0;
    std::chrono::steady_clock::time_point next_drawing_{};
    std::size_t drawn_ = 0;  ///< columns of the bar that is on the screen
};

static_assert(observer<progress>);

}  // namespace frostline
