// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

/// Takes the larger difference; NaN is the largest of all, and no std::max would see it.
inline void take_worse(double& worst, double difference) {
    if (std::isnan(difference) || difference > worst) worst = difference;
}
