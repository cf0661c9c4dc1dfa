// SPDX-License-Identifier: MIT
// A freezing policy of one's own, beside learn_and_drop on the same run.
// Usage: 02_custom_policy [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

// Freezes the next block when its score has fallen below a share of what it was at the first decision.
struct calmed_down {
    double share = 0.5;

    std::size_t operator()(const frostline::training_view& view) const {
        if (view.frozen >= view.last_freezable) return view.frozen;
        const auto first = view.scores.front()[view.frozen];
        const auto now = view.scores.back()[view.frozen];
        return first && now && *now < share * *first ? view.frozen + 1 : view.frozen;
    }
};
static_assert(frostline::freezing_policy<calmed_down>);

template <class Policy>
void train(std::string name, Policy policy, bool tiny) {
    const auto load = [](frostline::dataset_part part, std::size_t samples) {
        return frostline::normalised(
            frostline::take_first(frostline::load_named("fashion-mnist", "", part), samples),
            frostline::usual_statistics("fashion-mnist"));
    };
    const auto images = load(frostline::dataset_part::train, tiny ? 256 : 15000);
    const auto test = load(frostline::dataset_part::test, tiny ? 128 : 10000);
    auto network = frostline::lenet5<float>(images.shape(), images.classes());
    frostline::run_log log{.policy = std::move(name)};
    frostline::trainer trainer{network,
                               frostline::softmax_cross_entropy<float>{},
                               frostline::sgd<float>{},
                               frostline::weight_change{},
                               policy,
                               frostline::memory_feature_store<float>(std::size_t{1} << 30),
                               log};
    trainer.run({.epochs = tiny ? std::size_t{3} : 10, .schedule = frostline::cosine{.rate = 0.02}}, images,
                test);
    frostline::print_summary(std::cout, log);
}

int main(int argc, char** argv) try {
    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    train("calmed_down", calmed_down{.share = 0.6}, tiny);
    // A lambda is a policy, too: half of the blocks from the middle of the run on.
    train(
        "half",
        [](const frostline::training_view& view) {
            return 2 * view.epoch < view.epochs ? std::size_t{0} : view.blocks / 2;
        },
        tiny);
    train("learn_and_drop", frostline::learn_and_drop{}, tiny);
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
