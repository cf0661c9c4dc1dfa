// SPDX-License-Identifier: MIT
#include "frostline/kernels/convolution.hpp"

#include "frostline/core/random.hpp"
#include "kernels/naive_convolution.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"
#include "support/worse.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace {

using namespace frostline;
using namespace frostline::kernels;

template <class T>
aligned_vector<T> normal_values(std::size_t size, std::uint64_t key) {
    const random_stream draws(7, purpose::user, key);
    aligned_vector<T> values(size);
    for (std::size_t index = 0; index < size; ++index) values[index] = static_cast<T>(draws.normal(index));
    return values;
}

/// One convolution with its operands and the results of an engine.
template <class T>
struct problem {
    explicit problem(const convolution_geometry& geometry)
        : g(geometry),
          x(normal_values<T>(g.samples * g.input_size(), 1)),
          w(normal_values<T>(g.weight_size(), 2)),
          dy(normal_values<T>(g.samples * g.output_size(), 3)),
          y(dy.size()),
          dx(x.size()),
          dw(w.size()) {}

    void run(convolution_engine engine, phase how) {
        // Overwriting is part of the contract: whatever is left of this shows.
        for (auto* result : {&y, &dx, &dw}) std::fill(result->begin(), result->end(), T{1000});
        convolution_forward<T>(g, x.data(), w.data(), {}, y.data(), how, scratch, engine);
        convolution_backward_input<T>(g, dy.data(), w.data(), dx.data(), scratch, engine);
        convolution_backward_weights<T>(g, x.data(), dy.data(), dw.data(), scratch, engine);
    }

    convolution_geometry g;
    aligned_vector<T> x, w, dy, y, dx, dw;
    workspace<T> scratch;
};

/// Largest error in units of the rounding of a sum of `terms` products of standard normal numbers.
template <class T>
double scaled_error(const std::vector<double>& expected, const aligned_vector<T>& found, std::size_t terms) {
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double error = std::abs(expected[i] - static_cast<double>(found[i]));
        if (!(error <= worst)) worst = error;
    }
    return worst /
           (static_cast<double>(std::numeric_limits<T>::epsilon()) * (8 + static_cast<double>(terms)));
}

double allowed(convolution_engine engine) {
    if (engine == convolution_engine::winograd_4x4) return 100;
    const bool adds =
        engine == convolution_engine::winograd_2x2 || engine == convolution_engine::winograd_image;
    return adds ? 16 : 4;
}

template <class T>
void check_all_passes(const convolution_geometry& g) {
    problem<T> p(g);
    const auto y = naive::forward(g, p.x.data(), p.w.data());
    const auto dx = naive::backward_input(g, p.dy.data(), p.w.data());
    const auto dw = naive::backward_weights(g, p.x.data(), p.dy.data());
    for (const auto engine : possible_engines(g)) {
        for (const phase how : {phase::training, phase::inference}) {
            CAPTURE(static_cast<int>(engine), static_cast<int>(how), sizeof(T), g.samples, g.input_height,
                    g.input_width, g.input_channels, g.output_channels, g.kernel_height, g.kernel_width,
                    g.stride_height, g.stride_width, g.padding_height, g.padding_width);
            p.run(engine, how);
            const double limit = allowed(engine);
            REQUIRE(scaled_error(y, p.y, g.patch_size()) < limit);
            REQUIRE(scaled_error(dx, p.dx, g.kernel_height * g.kernel_width * g.output_channels) < limit);
            REQUIRE(scaled_error(dw, p.dw, g.samples * g.output_height * g.output_width) < limit);
        }
    }
}

bool same_bits(const float* a, const float* b, std::size_t size) {
    return std::memcmp(a, b, size * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("every engine agrees with the naive convolution in all passes") {
    SECTION("odd sizes and channels, 3 x 3") {
        for (const std::size_t size : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13}) {
            for (const std::size_t padding : {0, 1, 2, 3}) {
                if (size + 2 * padding < 3) continue;
                check_all_passes<float>(naive::square(2, size, 5, 17, 3, 1, padding));
                check_all_passes<double>(naive::square(2, size, 3, 9, 3, 1, padding));
            }
        }
    }
    SECTION("channels around the widths of vectors and panels") {
        for (const std::size_t inputs : {1, 2, 16, 17, 64, 65}) {
            for (const std::size_t outputs : {1, 3, 16, 33, 64, 65, 130}) {
                check_all_passes<float>(naive::square(2, 5, inputs, outputs, 3, 1, 1));
                check_all_passes<float>(naive::square(3, 4, inputs, outputs, 1, 1, 0));
            }
        }
        check_all_passes<float>(naive::square(1, 4, 150, 150, 3, 1, 1));
        check_all_passes<double>(naive::square(1, 4, 70, 70, 3, 1, 1));
    }
    SECTION("kernels, strides and paddings") {
        for (const std::size_t kernel : {1, 2, 3, 5, 7}) {
            for (const std::size_t stride : {1, 2, 3}) {
                for (const std::size_t padding : {0, 1, 3}) {
                    check_all_passes<float>(naive::square(2, 9, 3, 5, kernel, stride, padding));
                    check_all_passes<double>(naive::square(1, 7, 17, 4, kernel, stride, padding));
                }
            }
        }
    }
    SECTION("nothing square") {
        convolution_geometry g;
        g.samples = 3;
        g.input_height = 11, g.input_width = 6;
        g.input_channels = 7, g.output_channels = 19;
        g.kernel_height = 3, g.kernel_width = 2;
        g.stride_height = 1, g.stride_width = 3;
        g.padding_height = 0, g.padding_width = 1;
        check_all_passes<float>(naive::with_output(g));
        g.kernel_width = 3, g.stride_width = 1;
        check_all_passes<float>(naive::with_output(g));
        g.padding_height = 2, g.padding_width = 0;
        check_all_passes<double>(naive::with_output(g));
    }
    SECTION("enough tiles for several groups, and 28 x 28") {
        check_all_passes<float>(naive::square(1, 28, 16, 17, 3, 1, 1));
        check_all_passes<float>(naive::square(7, 13, 16, 5, 3, 1, 1));
        check_all_passes<float>(naive::square(40, 2, 16, 16, 3, 1, 1));
    }
    SECTION("so many positions, and lines so long, that sums over them are cut") {
        check_all_passes<float>(naive::square(3, 27, 5, 7, 1, 1, 0));
        convolution_geometry g;
        g.samples = 1;
        g.input_height = 3, g.input_width = 270;
        g.input_channels = 2, g.output_channels = 3;
        g.kernel_height = g.kernel_width = 3;
        g.padding_height = g.padding_width = 1;
        check_all_passes<float>(naive::with_output(g));
    }
    SECTION("linear layers are 1 x 1 images") {
        for (const std::size_t samples : {1, 5, 6, 7, 64, 129}) {
            check_all_passes<float>(naive::square(samples, 1, 50, 10, 1, 1, 0));
        }
        check_all_passes<float>(naive::square(3, 1, 400, 700, 1, 1, 0));
    }
}

TEST_CASE("the chosen engine agrees with the naive convolution, epilogue included") {
    for (const std::size_t channels : {3, 20, 64}) {
        for (const std::size_t size : {2, 4, 9}) {
            const auto g = naive::square(3, size, channels, channels + 1, 3, 1, 1);
            problem<float> p(g);
            const auto scale = normal_values<float>(g.output_channels, 4);
            const auto shift = normal_values<float>(g.output_channels, 5);
            const auto expected = naive::forward(g, p.x.data(), p.w.data());
            for (const phase how : {phase::training, phase::inference}) {
                for (const auto engine : possible_engines(g)) {
                    const convolution_epilogue<float> epilogue{scale.data(), shift.data(), p.dy.data(), true};
                    convolution_forward<float>(g, p.x.data(), p.w.data(), epilogue, p.y.data(), how,
                                               p.scratch, engine);
                    double worst = 0;
                    for (std::size_t i = 0; i < expected.size(); ++i) {
                        const std::size_t channel = i % g.output_channels;
                        const double value =
                            expected[i] * double{scale[channel]} + double{shift[channel]} + double{p.dy[i]};
                        take_worse(worst, std::abs(std::max(0.0, value) - double{p.y[i]}));
                    }
                    CAPTURE(channels, size, static_cast<int>(engine));
                    REQUIRE(worst < 1e-2);
                }
                convolution_forward<float>(g, p.x.data(), p.w.data(), {}, p.y.data(), how, p.scratch);
                REQUIRE(scaled_error(expected, p.y, g.patch_size()) < 100);
            }
        }
    }
}

TEST_CASE("the relu of an epilogue keeps NaN, which must not pass for zero") {
    for (const std::size_t channels : {3, 17}) {
        const auto g = naive::square(2, 5, channels, channels, 3, 1, 1);
        problem<float> p(g);
        std::vector<float> shift(channels, 0.0f);
        shift[1] = std::numeric_limits<float>::quiet_NaN();
        for (const phase how : {phase::training, phase::inference}) {
            for (const auto engine : possible_engines(g)) {
                CAPTURE(channels, static_cast<int>(how), static_cast<int>(engine));
                const convolution_epilogue<float> epilogue{nullptr, shift.data(), nullptr, true};
                convolution_forward<float>(g, p.x.data(), p.w.data(), epilogue, p.y.data(), how, p.scratch,
                                           engine);
                bool right = true;
                for (std::size_t i = 0; i < g.samples * g.output_positions() * channels; ++i)
                    right = right && (i % channels == 1 ? std::isnan(p.y[i]) : p.y[i] >= 0);
                REQUIRE(right);
            }
        }
    }
}

TEST_CASE("a sample's inference has the same bits in every batch, place and number of threads") {
    const std::size_t most = 16;
    for (const std::size_t size : {1, 2, 4, 7, 13}) {
        for (const std::size_t channels : {3, 16, 65}) {
            for (const std::size_t kernel : {1, 3}) {
                auto g = naive::square(most, size, channels, channels + 2, kernel, 1, kernel / 2);
                problem<float> p(g);
                std::vector<std::vector<convolution_engine>> choices{{}};  // empty: the default choice
                for (const auto engine : possible_engines(g)) choices.push_back({engine});
                for (const auto& choice : choices) {
                    const auto infer = [&](std::size_t first, std::size_t samples, float* y) {
                        auto part = g;
                        part.samples = samples;
                        const float* x = p.x.data() + first * g.input_size();
                        const auto engine =
                            choice.empty()
                                ? choose_convolution_engine(part, convolution_pass::forward, phase::inference)
                                : choice.front();
                        convolution_forward<float>(part, x, p.w.data(), {}, y, phase::inference, p.scratch,
                                                   engine);
                    };
                    infer(0, most, p.y.data());
                    aligned_vector<float> y(p.y.size());
                    for (const int workers : {1, 3}) {
                        const with_threads guard(workers);
                        for (const std::size_t samples : {1, 2, 3, 7, 16}) {
                            for (std::size_t first = 0; first + samples <= most; first += samples) {
                                infer(first, samples, y.data());
                                CAPTURE(size, channels, kernel, first, samples, workers);
                                CAPTURE(choice.empty() ? -1 : static_cast<int>(choice.front()));
                                REQUIRE(same_bits(y.data(), p.y.data() + first * g.output_size(),
                                                  samples * g.output_size()));
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("training convolutions repeat to the bit and agree for any number of threads") {
    for (const auto& g : {naive::square(5, 9, 17, 33, 3, 1, 1), naive::square(70, 2, 20, 20, 3, 1, 1),
                          naive::square(33, 6, 5, 8, 3, 2, 1), naive::square(300, 1, 40, 30, 1, 1, 0)}) {
        for (const auto engine : possible_engines(g)) {
            problem<float> reference(g);
            reference.run(engine, phase::training);
            for (const int workers : {1, 2, 3}) {
                const with_threads guard(workers);
                problem<float> first(g), second(g);
                first.run(engine, phase::training);
                for (int repeat = 0; repeat < 3; ++repeat) {
                    second.run(engine, phase::training);
                    CAPTURE(static_cast<int>(engine), workers);
                    REQUIRE(same_bits(first.y.data(), second.y.data(), first.y.size()));
                    REQUIRE(same_bits(first.dx.data(), second.dx.data(), first.dx.size()));
                    REQUIRE(same_bits(first.dw.data(), second.dw.data(), first.dw.size()));
                }
                for (std::size_t i = 0; i < first.dw.size(); ++i) {
                    REQUIRE(std::abs(first.dw[i] - reference.dw[i]) <
                            1e-3f * (1 + std::abs(reference.dw[i])));
                }
            }
        }
    }
}

TEST_CASE("Winograd's errors stay within 4 and 50 times those of direct summation") {
    const auto g = naive::square(2, 16, 64, 64, 3, 1, 1);
    problem<float> p(g);
    const auto y = naive::forward(g, p.x.data(), p.w.data());
    const auto dx = naive::backward_input(g, p.dy.data(), p.w.data());
    const auto dw = naive::backward_weights(g, p.x.data(), p.dy.data());
    const auto root_mean_square = [](const std::vector<double>& expected,
                                     const aligned_vector<float>& found) {
        double sum = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) sum += std::pow(expected[i] - double{found[i]}, 2);
        return std::sqrt(sum / static_cast<double>(expected.size()));
    };
    const auto errors = [&](convolution_engine engine) {
        p.run(engine, phase::training);
        return std::vector<double>{root_mean_square(y, p.y), root_mean_square(dx, p.dx),
                                   root_mean_square(dw, p.dw)};
    };
    const auto direct = errors(convolution_engine::direct);
    const auto two = errors(convolution_engine::winograd_2x2);
    const auto four = errors(convolution_engine::winograd_4x4);
    for (std::size_t pass = 0; pass < direct.size(); ++pass) {
        CAPTURE(pass, direct[pass], two[pass], four[pass]);
        CHECK(two[pass] <= 4 * direct[pass]);
        CHECK(four[pass] <= 50 * direct[pass]);
    }
}

TEST_CASE("the choice of engine in inference ignores the number of samples") {
    for (const std::size_t size : {1, 2, 4, 8, 16, 56}) {
        for (const std::size_t channels : {3, 16, 64, 512}) {
            for (const std::size_t kernel : {1, 3}) {
                const auto chosen = [&](std::size_t samples) {
                    return choose_convolution_engine(
                        naive::square(samples, size, channels, channels, kernel, 1, kernel / 2),
                        convolution_pass::forward, phase::inference);
                };
                for (const std::size_t samples : {2, 16, 128, 1000}) REQUIRE(chosen(samples) == chosen(1));
            }
        }
    }
}

TEST_CASE("the choice of engine at its edges") {
    using engine = convolution_engine;
    const auto training = [](const convolution_geometry& g,
                             convolution_pass pass = convolution_pass::forward) {
        return choose_convolution_engine(g, pass, phase::training);
    };
    CHECK(training(naive::square(128, 32, 64, 64, 3, 1, 1)) == engine::winograd_4x4);
    CHECK(training(naive::square(128, 8, 256, 256, 3, 1, 1), convolution_pass::backward_weights) ==
          engine::winograd_4x4);
    CHECK(training(naive::square(128, 14, 1024, 256, 1, 1, 0)) == engine::pointwise);
    CHECK(training(naive::square(128, 1, 512, 10, 1, 1, 0)) == engine::pointwise);
    const auto few = own_product_is_fast ? engine::padded_lines : engine::im2col;
    CHECK(training(naive::square(128, 32, 3, 64, 3, 1, 1)) == few);
    CHECK(training(naive::square(128, 32, 3, 64, 3, 1, 1), convolution_pass::backward_weights) == few);
    CHECK(training(naive::square(128, 32, 15, 64, 5, 2, 2)) == few);
    CHECK(training(naive::square(128, 32, 3, 64, 1, 1, 0)) == engine::pointwise);
    // No Winograd: stride, padding beyond 2, another kernel, padding that covers more than half of every
    // patch.
    const auto matrix = own_product_is_fast ? engine::direct : engine::im2col;
    CHECK(training(naive::square(128, 32, 64, 128, 3, 2, 1)) == matrix);
    CHECK(training(naive::square(128, 32, 64, 64, 3, 1, 3)) == matrix);
    CHECK(training(naive::square(128, 32, 64, 64, 5, 1, 2)) == matrix);
    // 2 x 2 images have tiles of their own, for as many samples as pay for the transformed weights.
    CHECK(training(naive::square(128, 2, 512, 512, 3, 1, 1)) == engine::winograd_image);
    CHECK(training(naive::square(4, 2, 512, 512, 3, 1, 1)) == matrix);
    // Few samples do not pay for the transformation of many weights.
    CHECK(training(naive::square(128, 4, 512, 512, 3, 1, 1)) == engine::winograd_4x4);
    CHECK(training(naive::square(1, 4, 512, 512, 3, 1, 1)) == matrix);
}
