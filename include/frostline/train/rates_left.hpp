// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/optim/schedules.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The schedule's highest rate in a run of so many steps.
inline double highest_rate(const any_schedule& schedule, std::size_t steps, std::size_t steps_per_epoch) {
    double highest = 0;
    for (std::size_t step = 0; step < steps; ++step)
        highest =
            std::max(highest, schedule({.step = step, .steps = steps, .steps_per_epoch = steps_per_epoch}));
    return highest;
}

/// The sum of a schedule's rates over the steps of a run that are still to come: summed from the last step
/// backwards, so that the small rates at the end of most schedules are not lost beside the large ones.
///
/// Asked about steps in rising order it evaluates the schedule twice for each step of the run in all, and
/// keeps as many sums as the square root of their number.
class rates_left {
public:
    rates_left(any_schedule schedule, std::size_t steps, std::size_t steps_per_epoch)
        : schedule_(std::move(schedule)), steps_(steps), steps_per_epoch_(steps_per_epoch) {}

    /// Of the steps [step, steps).
    double from(std::size_t step) {
        if (step >= steps_) return 0;
        if (sums_behind_.empty()) sum_all();
        const std::size_t chunk = step / length_;
        if (chunk != expanded_) expand(chunk);
        return sums_[step - chunk * length_];
    }

private:
    double rate(std::size_t step) const {
        return schedule_({.step = step, .steps = steps_, .steps_per_epoch = steps_per_epoch_});
    }

    // At the first question, so that a run starts at once.
    void sum_all() {
        length_ = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(steps_))));
        sums_behind_.resize((steps_ + length_ - 1) / length_);
        expanded_ = sums_behind_.size();
        double sum = 0;
        for (std::size_t step = steps_; step-- > 0;) {
            const bool ends_chunk = step + 1 == steps_ || (step + 1) % length_ == 0;
            if (ends_chunk) sums_behind_[step / length_] = sum;
            sum += rate(step);
        }
    }

    void expand(std::size_t chunk) {
        const std::size_t begin = chunk * length_, end = std::min(steps_, begin + length_);
        sums_.resize(end - begin);
        double sum = sums_behind_[chunk];
        for (std::size_t step = end; step-- > begin;) sums_[step - begin] = sum += rate(step);
        expanded_ = chunk;
    }

    any_schedule schedule_;
    std::size_t steps_;
    std::size_t steps_per_epoch_;
    std::size_t length_ = 1;           // steps in a chunk
    std::vector<double> sums_behind_;  // by chunk: of the steps behind it
    std::size_t expanded_ = 0;         // the chunk of `sums_`
    std::vector<double> sums_;         // from each of its steps to the end of the run
};

}  // namespace frostline
