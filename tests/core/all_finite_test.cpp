// SPDX-License-Identifier: MIT
#include "frostline/core/all_finite.hpp"

#include "support/catch.hpp"

#include <limits>
#include <utility>
#include <vector>

using namespace frostline;

TEMPLATE_TEST_CASE("one NaN or infinite value is found at any place", "", float, double) {
    using limits = std::numeric_limits<TestType>;
    std::vector<TestType> values(37, limits::max());
    values[5] = limits::denorm_min();
    values[6] = -limits::max();
    CHECK(all_finite(values.data(), values.size()));
    CHECK(all_finite(values.data(), 0));
    for (const TestType bad : {limits::quiet_NaN(), limits::infinity(), -limits::infinity()}) {
        for (std::size_t place = 0; place < values.size(); ++place) {
            const TestType before = std::exchange(values[place], bad);
            CHECK_FALSE(all_finite(values.data(), values.size()));
            CHECK(all_finite(values.data(), place));
            values[place] = before;
        }
    }
}
