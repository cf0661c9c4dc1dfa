// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

/// A mean over seeds, and half the width of its 95% interval by Student's t; infinite for a single seed.
struct interval {
    double mean = 0;
    double half_width = std::numeric_limits<double>::infinity();
};

/// The two-sided 95% quantile of Student's t distribution.
inline double student_quantile(std::size_t degrees) {
    constexpr std::array quantiles{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                   2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
    if (degrees <= quantiles.size()) return quantiles[degrees - 1];
    const auto n = static_cast<double>(degrees);
    return 1.95996 + 2.3723 / n + 2.8225 / (n * n);  // the first terms of Cornish and Fisher's series
}

/// @param values  at least one
inline double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

inline interval interval_of(std::span<const double> values) {
    interval found;
    for (const double value : values) found.mean += value / static_cast<double>(values.size());
    if (values.size() < 2) return found;
    double squares = 0;
    for (const double value : values) squares += (value - found.mean) * (value - found.mean);
    const auto degrees = static_cast<double>(values.size() - 1);
    found.half_width = student_quantile(values.size() - 1) *
                       std::sqrt(squares / degrees / static_cast<double>(values.size()));
    return found;
}
