// SPDX-License-Identifier: MIT
#include "frostline/optim/schedules.hpp"

#include "support/catch.hpp"

#include <limits>
#include <vector>

using namespace frostline;
using Catch::Approx;

static_assert(schedule<constant>);
static_assert(schedule<step_decay>);
static_assert(schedule<cosine>);
static_assert(schedule<one_cycle>);
static_assert(schedule<warm_up<cosine>>);
static_assert(schedule<per_epoch<warm_up<cosine>>>);
static_assert(schedule<any_schedule>);
static_assert(schedule<decltype([](const schedule_point&) { return 0.1; })>);
static_assert(!schedule<double>);

namespace {

/// A run of 10 epochs of 4 steps.
schedule_point at(std::size_t step) { return {step, 40, 4}; }

}  // namespace

TEST_CASE("a schedule_point knows its epoch and its share of the run") {
    CHECK(at(0).epoch() == 0);
    CHECK(at(3).epoch() == 0);
    CHECK(at(4).epoch() == 1);
    CHECK(at(0).progress() == 0);
    CHECK(at(10).progress() == 0.25);
    CHECK(at(40).progress() == 1);
    CHECK(at(41).progress() == 1);
    CHECK(schedule_point{0, 0, 0}.progress() == 0);
    CHECK(schedule_point{0, 0, 0}.epoch() == 0);
}

TEST_CASE("constant never changes the rate") {
    for (const std::size_t step : {0, 20, 39}) CHECK(constant{.rate = 0.3}(at(step)) == 0.3);
}

TEST_CASE("step_decay multiplies the rate after every so many epochs") {
    const step_decay rate{.rate = 1, .every = 3, .factor = 0.1};
    CHECK(rate(at(0)) == 1);
    CHECK(rate(at(11)) == 1);
    CHECK(rate(at(12)) == Approx(0.1));
    CHECK(rate(at(23)) == Approx(0.1));
    CHECK(rate(at(24)) == Approx(0.01));
    CHECK(rate(at(39)) == Approx(0.001));
}

TEST_CASE("cosine falls from its rate to its final rate") {
    const cosine rate{.rate = 0.4, .final_rate = 0.2};
    CHECK(rate(at(0)) == Approx(0.4));
    CHECK(rate(at(10)) == Approx(0.3 + 0.1 * std::sqrt(0.5)));
    CHECK(rate(at(20)) == Approx(0.3));
    CHECK(rate(at(30)) == Approx(0.3 - 0.1 * std::sqrt(0.5)));
    CHECK(rate(at(39)) > 0.2);
    CHECK(rate(at(40)) == Approx(0.2));
    CHECK(cosine{.rate = 0.1}(at(0)) == 0.1);
}

TEST_CASE("one_cycle rises to its peak and falls to almost nothing at the last step") {
    // PyTorch's OneCycleLR: the peak is at step 0.3 * 40 - 1 = 11.
    const one_cycle rate{.rate = 1};
    CHECK(rate(at(0)) == Approx(1.0 / 25));
    CHECK(rate(at(11)) == Approx(1.0));
    CHECK(rate(at(25)) == Approx((1 + 1 / 25e4) / 2));
    CHECK(rate(at(39)) == Approx(1 / 25e4));
    CHECK(rate(at(100)) == Approx(1 / 25e4));
    for (std::size_t step = 0; step < 11; ++step) CHECK(rate(at(step)) < rate(at(step + 1)));
    for (std::size_t step = 11; step < 39; ++step) CHECK(rate(at(step)) > rate(at(step + 1)));
}

TEST_CASE("one_cycle starts at the peak when the run is too short to rise") {
    CHECK(one_cycle{.rate = 1}({0, 1, 1}) == Approx(1.0));
    CHECK(one_cycle{.rate = 1}({0, 2, 1}) == Approx(1.0));
    CHECK(one_cycle{.rate = 1}({1, 2, 1}) == Approx(1 / 25e4));
}

TEST_CASE("one_cycle may rise all the way") {
    const one_cycle rate{.rate = 1, .rising = 1};
    CHECK(rate(at(38)) < 1);
    CHECK(rate(at(39)) == Approx(1.0));
}

TEST_CASE("warm_up rises linearly and then runs its schedule over what is left") {
    const warm_up rate(cosine{.rate = 0.9}, 2);
    for (std::size_t step = 0; step < 8; ++step)
        CHECK(rate(at(step)) == Approx(0.9 * static_cast<double>(step + 1) / 9));
    CHECK(rate(at(8)) == Approx(0.9));
    CHECK(rate(at(9)) < 0.9);
    CHECK(rate(at(24)) == Approx(0.45));
    CHECK(rate(at(40)) == Approx(0.0).margin(1e-12));
}

TEST_CASE("warm_up takes parts of an epoch, none, and more than the run has") {
    CHECK(warm_up(constant{.rate = 1}, 0.5)(at(1)) == Approx(2.0 / 3));
    CHECK(warm_up(constant{.rate = 1}, 0.5)(at(2)) == 1);
    CHECK(warm_up(cosine{.rate = 0.1}, 0)(at(0)) == 0.1);
    CHECK(warm_up(cosine{.rate = 0.1}, 0)(at(13)) == cosine{.rate = 0.1}(at(13)));
    CHECK(warm_up(cosine{.rate = 1}, 20)(at(39)) == Approx(40.0 / 81));
    CHECK(warm_up(cosine{.rate = 1}, 1e300)(at(39)) > 0);
}

TEST_CASE("warm_up rejects a number of epochs that cannot be") {
    for (const double epochs :
         {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS(warm_up(constant{}, epochs), argument_error);
}

TEST_CASE("per_epoch holds the rate during each epoch") {
    const per_epoch rate(cosine{.rate = 1});
    for (std::size_t step = 0; step < 40; ++step) CHECK(rate(at(step)) == rate(at(step / 4 * 4)));
    CHECK(rate(at(0)) == 1);
    CHECK(rate(at(4)) == Approx(0.5 * (1 + std::cos(std::acos(-1.0) / 10))));
    CHECK(rate(at(20)) == Approx(0.5));

    const per_epoch decaying(step_decay{.rate = 1, .every = 3});
    CHECK(decaying(at(11)) == 1);
    CHECK(decaying(at(12)) == Approx(0.1));
}

TEST_CASE("per_epoch warms up in whole epochs") {
    const per_epoch rate(warm_up(constant{.rate = 1}, 3));
    CHECK(rate(at(0)) == Approx(0.25));
    CHECK(rate(at(3)) == Approx(0.25));
    CHECK(rate(at(4)) == Approx(0.5));
    CHECK(rate(at(8)) == Approx(0.75));
    CHECK(rate(at(12)) == 1);
}

TEST_CASE("schedules keep a usable rate in a run of one epoch") {
    const std::vector<any_schedule> all{constant{.rate = 1}, step_decay{.rate = 1}, cosine{.rate = 1},
                                        one_cycle{.rate = 1}};
    for (const auto& inner : all)
        for (const auto& rate : {inner, any_schedule(per_epoch(inner))})
            for (std::size_t step = 0; step < 4; ++step) {
                const double found = rate({step, 4, 4});
                CHECK(found > 0);
                CHECK(found <= 1);
            }
    CHECK(per_epoch(cosine{.rate = 1})({3, 4, 4}) == 1);
    CHECK(per_epoch(one_cycle{.rate = 1})({3, 4, 4}) == 1);
}

TEST_CASE("a lambda can be warmed up") {
    const warm_up rate([](const schedule_point& point) { return point.step == 0 ? 1.0 : 0.5; }, 1);
    CHECK(rate(at(0)) == Approx(0.2));
    CHECK(rate(at(4)) == 1);
    CHECK(rate(at(5)) == 0.5);
}
