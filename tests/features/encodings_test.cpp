// SPDX-License-Identifier: MIT
#include "frostline/features/encodings.hpp"

#include "frostline/core/random.hpp"
#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

using namespace frostline;

static_assert(encoding<exact_encoding, float> && encoding<exact_encoding, double>);
static_assert(encoding<bfloat16_encoding, float> && encoding<bfloat16_encoding, double>);
static_assert(encoding<uint8_encoding, float> && encoding<uint8_encoding, double>);
static_assert(!encoding<int, float>);

namespace {

constexpr sample_shape shape{4, 5, 3};

template <class Encoding, class T>
std::vector<T> there_and_back(const std::vector<T>& row, const sample_shape& of = shape) {
    std::vector<std::byte> bytes(Encoding::template bytes<T>(of));
    Encoding::encode(row.data(), of, bytes.data());
    std::vector<T> back(row.size(), T{-77});
    Encoding::decode(bytes.data(), of, back.data());
    return back;
}

template <class T>
std::vector<T> random_row(double scale, double shift, std::size_t size = shape.size()) {
    const random_stream draws(1, purpose::user);
    std::vector<T> row(size);
    for (std::size_t i = 0; i < size; ++i) row[i] = static_cast<T>(scale * draws.normal(i) + shift);
    return row;
}

}  // namespace

TEMPLATE_TEST_CASE("exact_encoding keeps every bit", "", float, double) {
    auto row = random_row<TestType>(1, 0);
    row[3] = -TestType{0};
    row[4] = std::numeric_limits<TestType>::denorm_min();
    row[5] = -std::numeric_limits<TestType>::quiet_NaN();
    const auto back = there_and_back<exact_encoding>(row);
    CHECK(std::memcmp(back.data(), row.data(), row.size() * sizeof(TestType)) == 0);
    CHECK(exact_encoding::bytes<TestType>(shape) == shape.size() * sizeof(TestType));
}

TEMPLATE_TEST_CASE("bfloat16_encoding rounds to 8 significant bits, to nearest even", "", float, double) {
    const auto row = random_row<TestType>(3, 1);
    const auto back = there_and_back<bfloat16_encoding>(row);
    for (std::size_t i = 0; i < row.size(); ++i)
        CHECK(std::abs(back[i] - row[i]) <= std::abs(row[i]) * TestType(1.0 / 256));
    CHECK(bfloat16_encoding::bytes<TestType>(shape) == 2 * shape.size());

    const auto rounded = [](double value) {
        return there_and_back<bfloat16_encoding, double>({value}, {1, 1, 1})[0];
    };
    CHECK(rounded(1 + 1.0 / 256) == 1);              // a tie, to even
    CHECK(rounded(1 + 3.0 / 256) == 1 + 4.0 / 256);  // a tie, to even
    CHECK(rounded(1 + 1.1 / 256) == 1 + 2.0 / 256);
    CHECK(rounded(-0.0) == 0);
    CHECK(std::signbit(rounded(-0.0)));
    CHECK(rounded(3.4e38) == std::numeric_limits<double>::infinity());
    CHECK(rounded(-std::numeric_limits<double>::infinity()) == -std::numeric_limits<double>::infinity());
    CHECK(std::isnan(rounded(std::numeric_limits<double>::quiet_NaN())));
}

TEMPLATE_TEST_CASE("uint8_encoding is right to half a step of its channel", "", float, double) {
    for (const double scale : {1e-6, 1.0, 1e6})
        for (const double shift : {0.0, 5.0, -300.0}) {
            INFO("scale " << scale << ", shift " << shift);
            auto row = random_row<TestType>(scale, shift * scale);
            for (std::size_t i = 1; i < row.size(); i += 3) row[i] *= 100;  // a channel of another range
            const auto back = there_and_back<uint8_encoding>(row);
            for (std::size_t channel = 0; channel < 3; ++channel) {
                double lowest = 1e300, highest = -1e300;
                for (std::size_t i = channel; i < row.size(); i += 3) {
                    lowest = std::min<double>(lowest, row[i]);
                    highest = std::max<double>(highest, row[i]);
                }
                // The lowest value is rounded outwards, by 1/128 of itself at most, and the step by as much.
                const double step = (highest - lowest + std::abs(lowest) / 128) / 255 * (1 + 1.0 / 100);
                for (std::size_t i = channel; i < row.size(); i += 3)
                    CHECK(std::abs(back[i] - row[i]) <= 0.51 * step);
            }
        }
    CHECK(uint8_encoding::bytes<TestType>(shape) == shape.size() + 4 * shape.channels);
}

TEST_CASE("uint8_encoding keeps the zeros of a ReLU, constant channels, and what is not a number") {
    auto row = random_row<float>(1, 0);
    for (float& value : row) value = std::max(value, 0.0f);
    for (std::size_t i = 1; i < row.size(); i += 3) row[i] = 0.25f;
    row[3 * 7 + 2] = std::numeric_limits<float>::infinity();
    const auto back = there_and_back<uint8_encoding>(row);
    for (std::size_t i = 0; i < row.size(); i += 3)
        if (row[i] == 0) CHECK(back[i] == 0);
    for (std::size_t i = 1; i < row.size(); i += 3) CHECK(back[i] == 0.25f);
    for (std::size_t i = 2; i < row.size(); i += 3) CHECK(std::isnan(back[i]));
}

TEST_CASE("an encoded row is rounded once: again it is the same") {
    const auto row = random_row<float>(2, 1);
    const auto once = there_and_back<bfloat16_encoding>(row);
    CHECK(there_and_back<bfloat16_encoding>(once) == once);
}

TEST_CASE("memory and disk give the same rows in every encoding") {
    const auto values = random_row<float>(1, 0, 6 * shape.size());
    tensor<float> rows, from_memory, from_disk;
    resize(rows, 6, shape);
    std::copy(values.begin(), values.end(), rows.data());
    const auto check_with = [&](auto chosen) {
        using chosen_encoding = decltype(chosen);
        memory_feature_store<float, chosen_encoding> memory(1 << 20);
        disk_feature_store<float, chosen_encoding> disk(std::filesystem::temp_directory_path(), 1 << 20);
        std::vector<feature_key> keys;
        for (std::uint64_t sample = 0; sample < 6; ++sample) keys.push_back({.sample = sample});
        memory.put(keys, rows);
        disk.put(keys, rows);
        CHECK(disk.bytes() == 6 * memory.row_bytes(shape));
        std::vector<std::size_t> missed;
        resize(from_memory, 6, shape);
        resize(from_disk, 6, shape);
        memory.get(keys, from_memory, missed);
        CHECK(missed.empty());
        disk.get(keys, from_disk, missed);
        CHECK(missed.empty());
        CHECK(std::memcmp(from_memory.data(), from_disk.data(), rows.size() * sizeof(float)) == 0);
        for (std::size_t i = 0; i < rows.size(); ++i)
            CHECK(from_disk.data()[i] == Catch::Approx(rows.data()[i]).margin(0.03));
    };
    check_with(exact_encoding{});
    check_with(bfloat16_encoding{});
    check_with(uint8_encoding{});
}
