// SPDX-License-Identifier: MIT
#include "frostline/report/peak_memory.hpp"

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace frostline;

constexpr std::size_t megabytes_64 = std::size_t{64} << 20;

void touch_64_megabytes() {
    std::vector<char> block(megabytes_64);
    for (std::size_t place = 0; place < block.size(); place += 4096)
        static_cast<volatile char*>(block.data())[place] = 1;
}

TEST_CASE("The peak memory grows by what was touched and can start again") {
#if defined(__SANITIZE_ADDRESS__)
    WARN("skipped: the address sanitizer keeps freed memory resident");
    return;
#endif
    const auto before = peak_memory_bytes();
    if (!before || !reset_peak_memory()) {
        WARN("this system does not tell or reset the peak memory");
        return;
    }
    touch_64_megabytes();
    const auto with_block = peak_memory_bytes();
    REQUIRE(with_block);
    REQUIRE(reset_peak_memory());
    const auto after_reset = peak_memory_bytes();
    REQUIRE(after_reset);
    CHECK(*with_block >= *after_reset + megabytes_64 * 9 / 10);
}

TEST_CASE("A meter of peak memory tells nothing before it was started") {
    peak_memory_meter meter;
    CHECK_FALSE(meter.bytes());
    meter.start();
    if (meter.bytes()) CHECK(*meter.bytes() > 0);
}

}  // namespace
