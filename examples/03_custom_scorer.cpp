// SPDX-License-Identifier: MIT
// A scorer of one's own: how far the direction of a block's weights turned since the last decision.
// Usage: 03_custom_scorer [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>
#include <string_view>

// The angle between w and w' in radians, divided by the learning rate between them, as learn_and_drop
// expects.
struct weight_turn {
    static constexpr frostline::observations observes{.previous_weights = true};

    template <class T>
    std::optional<double> operator()(const frostline::block_view<T>& view) const {
        double product = 0, now = 0, before = 0;
        for (std::size_t i = 0; i < view.weights.size(); ++i) {
            product += double(view.weights[i]) * view.previous_weights[i];
            now += double(view.weights[i]) * view.weights[i];
            before += double(view.previous_weights[i]) * view.previous_weights[i];
        }
        if (now == 0 || before == 0 || view.learning_rate_sum == 0) return std::nullopt;
        return std::acos(std::clamp(product / std::sqrt(now * before), -1.0, 1.0)) / view.learning_rate_sum;
    }
};
static_assert(frostline::scorer<weight_turn, float>);

// Prints the scores of each decision.
struct score_printer {
    void operator()(const frostline::decision_taken& decision) const {
        std::cout << "epoch " << decision.epoch << ':';
        for (const auto& score : decision.scores) {
            if (score)
                std::cout << ' ' << *score;
            else
                std::cout << " -";
        }
        std::cout << '\n';
    }
};

int main(int argc, char** argv) try {
    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    const auto load = [](frostline::dataset_part part, std::size_t samples) {
        return frostline::normalised(
            frostline::take_first(frostline::load_named("fashion-mnist", "", part), samples),
            frostline::usual_statistics("fashion-mnist"));
    };
    const auto train = load(frostline::dataset_part::train, tiny ? 256 : 15000);
    const auto test = load(frostline::dataset_part::test, tiny ? 128 : 10000);
    auto network = frostline::lenet5<float>(train.shape(), train.classes());
    frostline::run_log log{.policy = "learn_and_drop on weight_turn"};
    score_printer scores;
    frostline::trainer trainer{network,
                               frostline::softmax_cross_entropy<float>{},
                               frostline::sgd<float>{},
                               weight_turn{},
                               frostline::learn_and_drop{},
                               frostline::memory_feature_store<float>(std::size_t{1} << 30),
                               log,
                               scores};
    trainer.run({.epochs = tiny ? std::size_t{3} : 10, .schedule = frostline::cosine{.rate = 0.02}}, train,
                test);
    frostline::print_summary(std::cout, log);
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
