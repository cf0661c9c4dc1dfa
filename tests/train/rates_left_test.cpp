// SPDX-License-Identifier: MIT
#include "frostline/train/rates_left.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <memory>

using namespace frostline;

namespace {

double plain_sum(const any_schedule& schedule, std::size_t step, std::size_t steps, std::size_t per_epoch) {
    double sum = 0;
    for (; step < steps; ++step)
        sum += schedule({.step = step, .steps = steps, .steps_per_epoch = per_epoch});
    return sum;
}

}  // namespace

TEST_CASE("the rates left are the sum of the schedule from a step to the end of the run") {
    const std::vector<any_schedule> schedules{constant{.rate = 0.1}, cosine{.rate = 0.05},
                                              one_cycle{.rate = 0.2}, warm_up(step_decay{.every = 2}, 1.5)};
    for (const auto& schedule : schedules) {
        for (const std::size_t steps : {1, 2, 3, 16, 17, 99, 1000}) {
            const std::size_t per_epoch = std::min<std::size_t>(steps, 7);
            rates_left left(schedule, steps, per_epoch);
            for (std::size_t step = 0; step <= steps; ++step) {
                INFO(step << " of " << steps);
                REQUIRE(
                    left.from(step) ==
                    Catch::Approx(plain_sum(schedule, step, steps, per_epoch)).epsilon(1e-12).margin(1e-300));
            }
            CHECK(left.from(steps) == 0);
        }
    }
}

TEST_CASE("the rates left are the same whichever steps are asked about, and in which order") {
    constexpr std::size_t steps = 200;
    rates_left all(cosine{.rate = 0.05}, steps, 10);
    std::vector<double> expected;
    for (std::size_t step = 0; step < steps; ++step) expected.push_back(all.from(step));
    for (const std::size_t stride : {7, 10, 33, 199}) {
        rates_left some(cosine{.rate = 0.05}, steps, 10);
        for (std::size_t step = stride; step < steps; step += stride)
            CHECK(some.from(step) == expected[step]);
        CHECK(some.from(0) == expected[0]);
    }
}

TEST_CASE("asking after every step evaluates the schedule twice a step, however long the run") {
    auto evaluated = std::make_shared<std::size_t>(0);
    constexpr std::size_t steps = 100'000;
    rates_left left(
        [evaluated](const schedule_point&) {
            ++*evaluated;
            return 0.5;
        },
        steps, 1);
    CHECK(*evaluated == 0);
    for (std::size_t step = 1; step < steps; ++step) REQUIRE(left.from(step) == 0.5 * (steps - step));
    CHECK(*evaluated <= 2 * steps);
}
