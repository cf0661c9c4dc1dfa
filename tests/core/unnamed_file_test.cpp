// SPDX-License-Identifier: MIT
#include "frostline/core/unnamed_file.hpp"

#include "support/catch.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

std::array<std::byte, 10000> pattern(int seed) {
    std::array<std::byte, 10000> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>((i * 31 + static_cast<std::size_t>(seed)) % 251);
    return bytes;
}

}  // namespace

TEST_CASE("an unnamed_file gives back what was written where it was written") {
    unnamed_file file(std::filesystem::temp_directory_path());
    const auto first = pattern(1), second = pattern(2);
    CHECK(file.write(first.data(), first.size(), 0) == 0);
    CHECK(file.write(second.data(), second.size(), first.size()) == 0);
    file.read_at_random();
    file.will_read(0, 2 * first.size());
    file.flush();
    unnamed_file moved = std::move(file);
    std::array<std::byte, 10000> got{};
    CHECK(moved.read(got.data(), got.size(), first.size()) == 0);
    CHECK(got == second);
    CHECK(moved.read(got.data(), got.size(), 0) == 0);
    CHECK(got == first);
    CHECK(moved.read(got.data(), got.size(), first.size() + 1) == EIO);  // beyond the end
}

TEST_CASE("released bytes take no space, and the others stay") {
    const unnamed_file file(std::filesystem::temp_directory_path());
    const auto bytes = pattern(1);
    CHECK(file.write(bytes.data(), bytes.size(), 0) == 0);
    if (!file.release(0, 8192)) {
        WARN("skipped: the file system cannot release a part of a file");
        return;
    }
    std::array<std::byte, 10000> got{};
    CHECK(file.read(got.data(), got.size(), 0) == 0);
    CHECK(std::memcmp(got.data() + 8192, bytes.data() + 8192, got.size() - 8192) == 0);
    CHECK(got[100] == std::byte{0});
}

TEST_CASE("a folder that is not there takes no unnamed_file") {
    CHECK_THROWS_WITH(unnamed_file("/no/such/folder"), ContainsSubstring("/no/such/folder: No such file"));
}
