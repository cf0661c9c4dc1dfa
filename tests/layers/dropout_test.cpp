// SPDX-License-Identifier: MIT
#include "frostline/layers/dropout.hpp"

#include "layers/layer_checks.hpp"

using namespace frostline;

static_assert(layer<dropout<float>> && layer<dropout<double>>);

namespace {

tensor<float> drop(dropout<float>& layer, const tensor<float>& x, const pass& how) {
    dropout<float>::context context;
    workspace<float> scratch;
    tensor<float> y;
    layer.forward(x, y, context, scratch, how);
    return y;
}

}  // namespace

TEST_CASE("dropout keeps what a layer has to keep") {
    const auto make = []<class T>() { return dropout<T>("classifier.2", {.probability = 0.3}); };
    layer_checks::check_layer(make, 3, {3, 5, 7});
    layer_checks::check_threads<float>(make, 9, {17, 15, 33});
}

TEST_CASE("dropout drops its share and scales what is left") {
    tensor<float> x;
    resize(x, 10, {1, 1, 10000});
    std::fill_n(x.data(), x.size(), 1.0f);
    for (const double probability : {0.0, 0.2, 0.5, 0.9}) {
        dropout<float> layer("drop", {.probability = probability});
        const auto y = drop(layer, x, pass{phase::training});
        const auto dropped = std::count(y.data(), y.data() + y.size(), 0.0f);
        CHECK(dropped / 1e5 == Catch::Approx(probability).margin(0.01));
        for (std::size_t i = 0; i < 100; ++i)
            CHECK((y.data()[i] == 0 || y.data()[i] == Catch::Approx(1 / (1 - probability))));
    }
}

TEST_CASE("dropout depends on seed, step, sample and name, and on nothing else") {
    const auto x = layer_checks::random_tensor<float>(3, {2, 2, 50}, "x");
    dropout<float> layer("a"), other("b");
    const std::vector<std::uint64_t> ids{40, 41, 42}, moved{41, 42};
    const pass how{phase::training, 1, 2, ids};
    const auto y = drop(layer, x, how);
    CHECK(layer_checks::same_bits(drop(layer, x, how), y));
    CHECK_FALSE(layer_checks::same_bits(drop(other, x, how), y));
    CHECK_FALSE(layer_checks::same_bits(drop(layer, x, pass{phase::training, 2, 2, ids}), y));
    CHECK_FALSE(layer_checks::same_bits(drop(layer, x, pass{phase::training, 1, 3, ids}), y));
    const auto shorter = drop(layer, layer_checks::rows_of(x, 1, 3), pass{phase::training, 1, 2, moved});
    CHECK(layer_checks::same_bits(shorter, layer_checks::rows_of(y, 1, 3)));
    const std::vector<std::uint64_t> numbers{0, 1, 2};
    CHECK(layer_checks::same_bits(drop(layer, x, pass{phase::training, 1, 2}),
                                  drop(layer, x, pass{phase::training, 1, 2, numbers})));
}

TEST_CASE("dropout is the identity in inference") {
    const auto x = layer_checks::random_tensor<float>(3, {2, 2, 50}, "x");
    dropout<float> layer("a");
    CHECK(layer_checks::same_bits(drop(layer, x, pass{}), x));
}

TEST_CASE("dropout says what is wrong") {
    CHECK_THROWS_WITH((dropout<float>("fc", {.probability = 1})),
                      "dropout fc: the probability must lie in [0, 1), found 1");
    dropout<float> layer("fc");
    const auto x = layer_checks::random_tensor<float>(3, {1, 1, 2}, "x");
    const std::vector<std::uint64_t> ids{1, 2};
    CHECK_THROWS_AS(drop(layer, x, pass{phase::training, 1, 2, ids}), argument_error);
}
