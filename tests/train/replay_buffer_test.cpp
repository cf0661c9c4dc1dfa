// SPDX-License-Identifier: MIT
#include "frostline/train/replay_buffer.hpp"

#include "support/catch.hpp"

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr sample_shape shape{2, 1, 1};

/// Offers the samples [first, last), sample n with target n % 3 and the pixels n and n + 0.25.
template <class Buffer>
void offer(Buffer& buffer, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number < last; ++number) {
        const float pixels[] = {static_cast<float>(number), static_cast<float>(number) + 0.25f};
        buffer.offer(number, static_cast<std::int32_t>(number % 3), pixels);
    }
}

template <class Buffer>
std::vector<std::uint64_t> numbers_in(const Buffer& buffer) {
    std::vector<std::uint64_t> numbers;
    for (std::size_t index = 0; index < buffer.size(); ++index) numbers.push_back(buffer.number(index));
    return numbers;
}

template <class Buffer>
bool holds_what_was_offered(const Buffer& buffer) {
    std::set<std::uint64_t> ids;
    std::vector<float> pixels(2);
    std::vector<double> more(2);
    for (std::size_t index = 0; index < buffer.size(); ++index) {
        const auto number = buffer.number(index);
        buffer.read(index, std::span(pixels));
        buffer.read(index, std::span(more));
        if (pixels[0] != static_cast<float>(number) || pixels[1] != static_cast<float>(number) + 0.25f)
            return false;
        if (more[0] != pixels[0] || more[1] != pixels[1]) return false;
        if (buffer.target(index) != static_cast<std::int32_t>(number % 3)) return false;
        if (buffer.sample_id(index) >= buffer.capacity() || !ids.insert(buffer.sample_id(index)).second)
            return false;
    }
    return true;
}

replay_buffer<float> of_capacity(std::size_t capacity, std::uint64_t seed = 1) {
    replay_buffer<float> buffer(capacity);
    buffer.attach(shape, 3, seed);
    return buffer;
}

}  // namespace

static_assert(dataset<replay_buffer<float>>);

TEST_CASE("a replay buffer takes every sample while it has room, and never holds more") {
    auto buffer = of_capacity(5);
    CHECK(buffer.size() == 0);
    offer(buffer, 0, 3);
    CHECK(numbers_in(buffer) == std::vector<std::uint64_t>{0, 1, 2});
    CHECK(holds_what_was_offered(buffer));
    const std::size_t bytes = buffer.bytes();
    offer(buffer, 3, 1000);
    CHECK(buffer.size() == 5);
    CHECK(holds_what_was_offered(buffer));
    CHECK(buffer.bytes() == bytes);
}

TEST_CASE("a replay buffer holds every sample of the stream with the same probability") {
    constexpr std::size_t stream = 40, capacity = 10, streams = 4000;
    std::vector<std::size_t> held(stream, 0);
    for (std::uint64_t seed = 0; seed < streams; ++seed) {
        auto buffer = of_capacity(capacity, seed);
        offer(buffer, 0, stream);
        for (const auto number : numbers_in(buffer)) ++held[number];
    }
    const double expected = static_cast<double>(streams * capacity) / stream;
    const double deviation = std::sqrt(expected * (1 - static_cast<double>(capacity) / stream));
    for (std::size_t number = 0; number < stream; ++number) {
        INFO("sample " << number);
        CHECK(std::abs(static_cast<double>(held[number]) - expected) < 4.5 * deviation);
    }
}

TEST_CASE("what a replay buffer holds follows from the seed and the numbers of the samples alone") {
    auto first = of_capacity(8), second = of_capacity(8), other = of_capacity(8, 2);
    for (auto* buffer : {&first, &second, &other}) offer(*buffer, 0, 200);
    CHECK(numbers_in(first) == numbers_in(second));
    CHECK(numbers_in(first) != numbers_in(other));
}

TEST_CASE("the place of a sample that a replay buffer gives up is filled when it is drawn") {
    auto buffer = of_capacity(4);
    offer(buffer, 0, 3);
    buffer.remove(1);
    CHECK(numbers_in(buffer) == std::vector<std::uint64_t>{0, 2});
    CHECK(holds_what_was_offered(buffer));
    offer(buffer, 3, 4);  // one of the first four, which are all taken
    CHECK(numbers_in(buffer) == std::vector<std::uint64_t>{0, 2, 3});
    CHECK(holds_what_was_offered(buffer));
    offer(buffer, 4, 200);
    CHECK(buffer.size() == 4);
    CHECK(holds_what_was_offered(buffer));
}

TEST_CASE("where only some of a replay buffer's places can be filled, old samples leave them as ever") {
    constexpr std::size_t capacity = 8, room = 5, samples = 400, seeds = 200;
    std::size_t late = 0;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        auto buffer = of_capacity(capacity, seed);
        for (std::uint64_t number = 0; number < samples; ++number) {
            offer(buffer, number, number + 1);
            if (buffer.size() > room) buffer.remove(room);
        }
        REQUIRE(buffer.size() == room);
        for (const std::uint64_t number : numbers_in(buffer)) late += number >= samples / 2;
    }
    constexpr double held = room * seeds;
    CHECK(std::abs(static_cast<double>(late) - held / 2) < 4 * std::sqrt(held / 4));
}

TEST_CASE("a replay buffer without pixels goes on sampling, and gives their memory back") {
    auto buffer = of_capacity(4);
    offer(buffer, 0, 4);
    const std::size_t bytes = buffer.bytes();
    buffer.release_pixels();
    CHECK_FALSE(buffer.has_pixels());
    CHECK(buffer.bytes() == bytes - 4 * 2 * sizeof(float));
    offer(buffer, 4, 100);
    CHECK(buffer.size() == 4);
    std::vector<float> pixels(2);
    CHECK_THROWS_WITH(buffer.read(0, std::span(pixels)), ContainsSubstring("its pixels were released"));
    buffer.clear();
    CHECK(buffer.has_pixels());
    CHECK(buffer.size() == 0);
    CHECK(buffer.bytes() == bytes);
    offer(buffer, 100, 104);
    CHECK(numbers_in(buffer) == std::vector<std::uint64_t>{100, 101, 102, 103});
    CHECK(holds_what_was_offered(buffer));
}

TEST_CASE("a replay buffer of no capacity takes nothing") {
    auto buffer = of_capacity(0);
    offer(buffer, 0, 10);
    CHECK(buffer.size() == 0);
    CHECK(buffer.bytes() == 0);
}

TEST_CASE("a replay buffer may keep pixels in a byte each") {
    const sample_shape image{8, 8, 1};
    replay_buffer<float, uint8_encoding> buffer(10);
    buffer.attach(image, 3, 1);
    std::vector<float> pixels(image.size()), found(image.size());
    std::iota(pixels.begin(), pixels.end(), -3.0f);
    REQUIRE(buffer.offer(0, 1, pixels.data()));
    buffer.read(0, std::span(found));
    for (std::size_t i = 0; i < pixels.size(); ++i) CHECK(std::abs(found[i] - pixels[i]) < 63.0f / 255);
    auto exact = of_capacity(10);
    exact.attach(image, 3, 1);
    CHECK(buffer.bytes() < exact.bytes() / 2);
}
