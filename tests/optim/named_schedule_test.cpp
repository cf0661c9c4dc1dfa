// SPDX-License-Identifier: MIT
#include "frostline/optim/named_schedule.hpp"

#include "support/catch.hpp"

#include <limits>
#include <utility>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("named_schedule makes what the name says") {
    const double rate = 0.2;
    const std::vector<std::pair<const char*, any_schedule>> expected{
        {"constant", constant{.rate = rate}},
        {"cosine", cosine{.rate = rate}},
        {"cosine:final=0.05", cosine{.rate = rate, .final_rate = 0.05}},
        {"one_cycle", one_cycle{.rate = rate}},
        {"one_cycle:rising=0.5,start_divisor=10,final_divisor=100",
         one_cycle{.rate = rate, .rising = 0.5, .start_divisor = 10, .final_divisor = 100}},
        {"step", step_decay{.rate = rate}},
        {"step:every=2,factor=0.5", step_decay{.rate = rate, .every = 2, .factor = 0.5}},
        {"cosine:warm_up=2.5", warm_up(cosine{.rate = rate}, 2.5)},
        {"step:per_epoch=1,every=2", per_epoch(step_decay{.rate = rate, .every = 2})},
        {"cosine:warm_up=2,per_epoch=1", per_epoch(warm_up(cosine{.rate = rate}, 2))},
    };
    for (const auto& [text, wanted] : expected) {
        const any_schedule found = named_schedule(text, rate);
        for (std::size_t step = 0; step < 160; ++step) {
            const schedule_point point{step, 160, 4};
            if (found(point) != wanted(point)) FAIL(text << " at step " << step);
        }
    }
}

TEST_CASE("named_schedule lists the known names and options") {
    CHECK_THROWS_WITH(named_schedule("cosin", 0.1),
                      "there is no schedule \"cosin\", known are constant, cosine, one_cycle, step");
    CHECK_THROWS_WITH(named_schedule("cosine:end=1", 0.1),
                      "cosine has no option \"end\", known are final, warm_up, per_epoch");
    CHECK_THROWS_AS(named_schedule("", 0.1), argument_error);
}

TEST_CASE("named_schedule rejects rates and options that cannot be") {
    for (const double rate :
         {-0.1, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_WITH(named_schedule("cosine", rate), ContainsSubstring("learning rate must be finite"));
    for (const char* text :
         {"cosine:final=-1", "cosine:final=nan", "step:every=0", "step:every=1.5", "step:factor=-1",
          "one_cycle:rising=1.5", "one_cycle:start_divisor=0", "cosine:warm_up=-1", "cosine:final"})
        CHECK_THROWS_AS(named_schedule(text, 0.1), argument_error);
}
