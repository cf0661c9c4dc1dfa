// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"

#include <cmath>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// A mean over a stream in which old values fade: after `window` further samples a value counts e-fold less.
/// While fewer samples than that have come, it is close to their plain mean.
class fading_mean {
public:
    explicit fading_mean(double window) : window_(window) {}

    /// @param value mean of so many samples
    void add(double value, std::size_t samples = 1) {
        const double kept = std::exp(-static_cast<double>(samples) / window_);
        sum_ = kept * sum_ + (1 - kept) * value;
        weight_ = kept * weight_ + (1 - kept);
    }

    /// 0 before the first value.
    double value() const { return weight_ > 0 ? sum_ / weight_ : 0; }
    void reset() { sum_ = weight_ = 0; }

private:
    double window_, sum_ = 0, weight_ = 0;
};

struct drift_options {
    double loss_rise = 1.5;    ///< by which factor the running loss has to rise; 0: nothing is a drift
    double deviations = 4;     ///< and by how many standard deviations of the running loss
    std::size_t window = 200;  ///< samples over which the running loss is taken
};

/// Tells when a stream has changed: the loss on new samples, before they are learnt, rises. Its mean over the
/// last samples is compared with that over ten times as many, of which it has to be `loss_rise` times as
/// much; and the difference has to be more than noise makes likely. Where the loss creeps up over more
/// samples than that, it is no drift.
class drift_signal {
public:
    /// @throws argument_error for options out of range
    explicit drift_signal(const drift_options& options = {}) : options_(options) {
        require<argument_error>(options.loss_rise == 0 || options.loss_rise >= 1,
                                "the rise of the loss that is a drift is ", options.loss_rise,
                                ", expected a factor of at least 1, or 0 for none");
        require<argument_error>(options.deviations >= 0, "the rise of the loss that is a drift is ",
                                options.deviations, " deviations, expected at least 0");
        require<argument_error>(options.window >= 1,
                                "the running loss is taken over 0 samples, expected at least 1");
    }

    /// @param loss mean of these samples, before they were learnt @return whether there is a drift
    bool add(double loss, std::size_t samples) {
        const double before = usual_.value(), away = loss - before;
        // Means of n samples vary n times less than samples.
        if (samples_ > 0) variance_.add(away * away * static_cast<double>(samples), samples);
        recent_.add(loss, samples);
        usual_.add(loss, samples);
        samples_ += samples;
        if (options_.loss_rise == 0 || samples_ < 2 * options_.window) return false;
        const double noise = std::sqrt(variance_.value() / (2 * static_cast<double>(options_.window)));
        return running_loss() > options_.loss_rise * usual_loss() &&
               running_loss() - usual_loss() > options_.deviations * noise;
    }

    /// Forgets all: what comes is the new stream.
    void reset() {
        recent_.reset();
        usual_.reset();
        variance_.reset();
        samples_ = 0;
    }

    double running_loss() const { return recent_.value(); }
    double usual_loss() const { return usual_.value(); }

private:
    static constexpr double longer = 10;

    drift_options options_;
    fading_mean recent_{static_cast<double>(options_.window)};
    fading_mean usual_{longer * static_cast<double>(options_.window)};
    fading_mean variance_{longer * static_cast<double>(options_.window)};  // of the loss of a sample
    std::size_t samples_ = 0;
};

}  // namespace frostline
