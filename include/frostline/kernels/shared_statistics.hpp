// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/batch_reduction.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// What batch norm takes of a whole batch, from what each process knows of its share of the rows; everything
/// stays as it is where this process holds all of them. Sums are taken in double, so that it makes no
/// difference to a network in float how the rows are spread.
class shared_statistics {
public:
    /// A training pass begins.
    void start(const batch_reduction& reduction) { reduction_ = reduction; }

    /// Turns mean and biased variance of the columns of this process's `rows` into those of all rows.
    /// @param pivot  numbers near the means, the same in every process, so that few digits cancel
    /// @return the number of all rows
    template <class T>
    std::size_t combine(std::size_t rows, std::size_t channels, const T* pivot, T* mean, T* variance) {
        here_ = all_ = static_cast<double>(rows);
        if (!reduction_) return rows;
        sums_.resize(2 * channels + 1);
        double *first = sums_.data(), *second = first + channels;
        for (std::size_t c = 0; c < channels; ++c) {
            const double apart = static_cast<double>(mean[c]) - static_cast<double>(pivot[c]);
            first[c] = here_ * apart;
            second[c] = here_ * (static_cast<double>(variance[c]) + apart * apart);
        }
        sums_.back() = here_;
        reduction_(sums_);
        all_ = sums_.back();
        for (std::size_t c = 0; c < channels; ++c) {
            const double apart = first[c] / all_;
            mean[c] = static_cast<T>(static_cast<double>(pivot[c]) + apart);
            variance[c] = static_cast<T>(std::max(0.0, second[c] / all_ - apart * apart));
        }
        return static_cast<std::size_t>(all_);
    }

    /// Turns the two sums of batch_norm_backward_sums over this process's rows into those over all rows,
    /// scaled by this process's share of the rows, by whose number batch_norm_backward_input divides.
    template <class T>
    void share(std::size_t channels, T* sum_dy, T* sum_dy_xhat) {
        if (!reduction_) return;
        sums_.resize(2 * channels);
        std::copy_n(sum_dy, channels, sums_.data());
        std::copy_n(sum_dy_xhat, channels, sums_.data() + channels);
        reduction_(sums_);
        const double part = here_ / all_;
        for (std::size_t c = 0; c < channels; ++c) {
            sum_dy[c] = static_cast<T>(part * sums_[c]);
            sum_dy_xhat[c] = static_cast<T>(part * sums_[channels + c]);
        }
    }

private:
    batch_reduction reduction_;
    double here_ = 0, all_ = 0;  // rows
    std::vector<double> sums_;
};

}  // namespace frostline
