// SPDX-License-Identifier: MIT
// Trains VGG-11 on Fashion-MNIST, and freezes and drops its blocks as they converge.
// Usage: 01_train_vgg [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <string_view>

auto load(frostline::dataset_part part, std::size_t samples) {
    const auto images = frostline::load_named("fashion-mnist", "", part);
    // Five poolings need 32x32 pixels.
    return frostline::normalised(frostline::padded(frostline::take_first(images, samples), 2),
                                 frostline::usual_statistics("fashion-mnist"));
}

int main(int argc, char** argv) try {
    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    const auto train = load(frostline::dataset_part::train, tiny ? 256 : 15000);
    const auto test = load(frostline::dataset_part::test, tiny ? 128 : 10000);

    auto network = frostline::vgg11<float>(train.shape(), train.classes());
    network.initialise(/*seed=*/1);

    frostline::run_log log{.policy = "learn_and_drop"};
    frostline::progress bar(log.policy);
    frostline::trainer trainer{network,
                               frostline::softmax_cross_entropy<float>{},
                               frostline::sgd<float>{{.momentum = 0.9}},
                               frostline::weight_change{},
                               frostline::learn_and_drop{},
                               frostline::memory_feature_store<float>(std::size_t{2} << 30),
                               log,
                               bar};
    trainer.run({.epochs = tiny ? std::size_t{2} : 10, .schedule = frostline::cosine{.rate = 0.05}}, train,
                test);
    frostline::print_summary(std::cout, log);
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
