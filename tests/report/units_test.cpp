// SPDX-License-Identifier: MIT
#include "frostline/report/units.hpp"

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <optional>

namespace {

using namespace frostline;

TEST_CASE("FLOPs and bytes are written with three digits and a prefix") {
    CHECK(format_flops(0) == "0 FLOP");
    CHECK(format_flops(999) == "999 FLOP");
    CHECK(format_flops(1000) == "1.00 kFLOP");
    CHECK(format_flops(12'345'678) == "12.3 MFLOP");
    CHECK(format_flops(99'960'000) == "100 MFLOP");
    CHECK(format_flops(999'600'000'000) == "1.00 TFLOP");
    CHECK(format_flops(std::numeric_limits<std::uint64_t>::max()) == "18.4 EFLOP");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1536) == "1.50 KiB");
    CHECK(format_bytes(std::uint64_t{3} << 30) == "3.00 GiB");
}

TEST_CASE("Durations, clocks and shares are written for a person") {
    CHECK(format_duration(0.234) == "0.23 s");
    CHECK(format_duration(45.67) == "45.7 s");
    CHECK(format_duration(99.96) == "1 min 40 s");
    CHECK(format_duration(754) == "12 min 34 s");
    CHECK(format_duration(3599.7) == "1 h 00 min");
    CHECK(format_duration(18360) == "5 h 06 min");
    CHECK(format_clock(7) == "0:07");
    CHECK(format_clock(754) == "12:34");
    CHECK(format_clock(3723) == "1:02:03");
    CHECK(format_percent(0.97312) == "97.31 %");
    CHECK(format_percent(std::nullopt) == "-");
}

}  // namespace
