// SPDX-License-Identifier: MIT
#include "frostline/distributed/gradient_buckets.hpp"

#include "frostline/distributed/single_process.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

using namespace frostline;

namespace {

// Notes which parts of an array it is given, and doubles them, as two processes of the same numbers would.
struct note_taker : single_process {
    const double* base = nullptr;
    std::vector<std::pair<std::size_t, std::size_t>> parts{};  // first element and number
    std::size_t waits = 0;

    void start_sum(std::span<double> part) {
        parts.emplace_back(part.data() - base, part.size());
        for (double& value : part) value *= 2;
    }
    template <class T>
    void start_sum(std::span<T>) {}
    void wait() { ++waits; }
};

using parts = std::vector<std::pair<std::size_t, std::size_t>>;

}  // namespace

TEST_CASE("gradients go off from the end, in buckets of one size, and what is left at the end") {
    std::vector<double> array(100);
    std::iota(array.begin(), array.end(), 0.0);
    note_taker notes;
    notes.base = array.data();
    gradient_buckets<double, note_taker> buckets(notes, 16 * sizeof(double));
    buckets.add(array, 90, 100);
    CHECK(notes.parts.empty());
    buckets.add(array, 40, 90);
    CHECK(notes.parts == parts{{84, 16}, {68, 16}, {52, 16}});
    buckets.add(array, 40, 40);  // a block without parameters
    buckets.add(array, 37, 40);
    CHECK(notes.parts.size() == 3);
    buckets.finish();
    CHECK(notes.parts.back() == std::pair<std::size_t, std::size_t>{37, 15});
    CHECK(notes.waits == 1);
    for (std::size_t i = 0; i < array.size(); ++i)
        CHECK(array[i] == (i < 37 ? 1 : 2) * static_cast<double>(i));
}

TEST_CASE("what lies between two parts is not exchanged, and the next step starts anew") {
    std::vector<double> array(100);
    note_taker notes;
    notes.base = array.data();
    gradient_buckets<double, note_taker> buckets(notes, 1024);
    buckets.add(array, 80, 100);
    buckets.add(array, 20, 60);
    buckets.finish();
    CHECK(notes.parts == parts{{80, 20}, {20, 40}});
    buckets.finish();
    buckets.add(array, 95, 100);
    buckets.finish();
    CHECK(notes.parts.back() == std::pair<std::size_t, std::size_t>{95, 5});
    CHECK(notes.parts.size() == 3);
    CHECK_THROWS_AS((gradient_buckets<double, note_taker>(notes, 7)), argument_error);
}
