// SPDX-License-Identifier: MIT
#include "frostline/core/tensor.hpp"

#include "support/catch.hpp"

#include <cstdint>
#include <sstream>

using namespace frostline;

TEMPLATE_TEST_CASE("a tensor starts on a cache line", "", float, double) {
    for (const std::size_t channels : {1, 3, 7, 64}) {
        tensor<TestType> x;
        resize(x, 2, {5, 3, channels});
        CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % alignment == 0);
    }
}

TEST_CASE("a tensor is row-major with the channels innermost") {
    tensor<float> x;
    resize(x, 2, {3, 4, 5});
    CHECK(samples_of(x) == 2);
    CHECK(shape_of(x) == sample_shape{3, 4, 5});
    CHECK(x.size() == 120);
    CHECK(&x(1, 2, 3, 4) == x.data() + ((1 * 3 + 2) * 4 + 3) * 5 + 4);
}

TEST_CASE("a tensor keeps its memory when it shrinks and grows back") {
    tensor<float> x;
    resize(x, 128, {8, 8, 4});
    const float* const place = x.data();
    resize(x, 17, {8, 8, 4});
    CHECK(x.data() == place);
    CHECK(x.size() == 17 * 256);
    resize(x, 128, {4, 4, 16});
    CHECK(x.data() == place);
}

TEST_CASE("a tensor may hold no samples") {
    tensor<float> x;
    resize(x, 0, {3, 4, 5});
    CHECK(samples_of(x) == 0);
    CHECK(x.size() == 0);
}

TEST_CASE("an aligned_vector leaves new elements as they are unless it is given a value") {
    aligned_vector<int> values(4, 7);
    CHECK(values == aligned_vector<int>{7, 7, 7, 7});
    values.resize(2);
    values.resize(4);  // the memory is the same, and nothing wrote to it
    CHECK(values[3] == 7);
    values.resize(6, 1);
    CHECK(values[5] == 1);
}

TEST_CASE("a sample_shape has a size and prints itself") {
    const sample_shape shape{32, 16, 3};
    CHECK(shape.size() == 1536);
    CHECK(sample_shape{}.size() == 1);
    std::ostringstream text;
    text << shape;
    CHECK(text.str() == "32x16x3");
}
