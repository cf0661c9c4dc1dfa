// SPDX-License-Identifier: MIT
#include "frostline/io/state_reader.hpp"

#include "frostline/core/within.hpp"
#include "support/catch.hpp"

#include <array>
#include <limits>
#include <span>

using namespace frostline;

namespace {

struct all_kinds {
    bool truth = false;
    std::size_t whole = 0;
    double number = 0;
    std::optional<double> absent = 1, present{};
    std::vector<std::optional<double>> scores{};
    std::vector<bool> flags{};
    std::vector<std::size_t> counts{};
    std::vector<double> numbers{};
    aligned_vector<float> floats{};
    std::array<float, 2> fixed{};

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("truth", truth);
        visit("whole", whole);
        visit("number", number);
        visit("absent", absent);
        visit("present", present);
        visit("scores", scores);
        visit("flags", flags);
        visit("counts", counts);
        visit("numbers", numbers);
        visit("floats", floats);
        visit("fixed", std::span<float>(fixed));
    }
    bool operator==(const all_kinds&) const = default;
};

template <class Value>
safetensors_file file_with(const std::string& name, const Value& value) {
    safetensors_writer file;
    state_writer(file, "state.")(name, value);
    return {file.bytes(), "file"};
}

}  // namespace

TEST_CASE("every kind of state is read as it was written, whatever was there before") {
    all_kinds written{.truth = true,
                      .whole = std::numeric_limits<std::size_t>::max(),
                      .number = 0.1,
                      .absent = std::nullopt,
                      .present = -0.3,
                      .scores = {0.5, std::nullopt, 0.0},
                      .flags = {true, false, true, true},
                      .counts = {7, std::size_t{1} << 60},
                      .numbers = {1e-310, std::numeric_limits<double>::infinity()},
                      .floats = {0.1f, 1e-40f},
                      .fixed = {1, 2}};
    safetensors_writer file;
    state_writer writer(file, "state.");
    written.for_each_state(within("here", writer));
    const safetensors_file bytes(file.bytes(), "file");
    CHECK(bytes.find("state.here.numbers") != nullptr);
    all_kinds read{.scores = {1, 2, 3, 4, 5}, .counts = {1}};
    state_reader reader(bytes, "state.");
    read.for_each_state(within("here", reader));
    CHECK(read == written);
}

TEST_CASE("state that is missing, of another type or of another size is refused by its name") {
    const auto numbers = file_with("a", std::vector<double>{1, 2});
    const state_reader read(numbers, "state.");
    std::vector<double> found;
    CHECK_THROWS_WITH(read("b", found), "'state.b' is missing");
    std::vector<std::size_t> counts;
    CHECK_THROWS_WITH(read("a", counts), "'state.a' is float64, expected int64");
    std::array<double, 3> three{};
    CHECK_THROWS_WITH(read("a", std::span<double>(three)), "'state.a' has 2 elements, expected 3");
    double single = 0;
    CHECK_THROWS_WITH(read("a", single), "'state.a' has the shape [2], expected a single number");
    std::vector<std::optional<double>> scores;
    CHECK_THROWS_WITH(read("a", scores), "'state.a.present' is missing");
}
