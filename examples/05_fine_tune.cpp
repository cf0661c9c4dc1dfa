// SPDX-License-Identifier: MIT
// Fine-tuning: LeNet-5 learns five classes of Fashion-MNIST and is saved; with a new head it is then trained
// on a few images of the other five, in four ways.
// Usage: 05_fine_tune [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>
#include <frostline/io/weights.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint64_t seed = 1;
const std::vector<std::size_t> old_classes{0, 1, 2, 3, 4}, new_classes{5, 6, 7, 8, 9};

frostline::any_dataset images(frostline::dataset_part part, const std::vector<std::size_t>& classes,
                              std::size_t count) {
    const frostline::chosen_classes chosen(frostline::load_named("fashion-mnist", "", part), classes);
    return frostline::normalised(frostline::take_first(chosen, std::min(count, chosen.size())),
                                 frostline::usual_statistics("fashion-mnist"));
}

auto new_network(const frostline::any_dataset& data) {
    auto network = frostline::lenet5<float>(data.shape(), data.classes());
    network.initialise(seed);
    return network;
}

template <class Network>
frostline::run_finished train(Network& network, const frostline::any_policy& policy,
                              const frostline::training_options& options, const frostline::any_dataset& data,
                              const frostline::any_dataset& test) {
    frostline::trainer trainer{network,
                               frostline::softmax_cross_entropy<float>{},
                               frostline::sgd<float>{},
                               frostline::weight_change{},
                               policy,
                               frostline::memory_feature_store<float>(std::size_t{1} << 30)};
    return trainer.run(options, data, test);
}

}  // namespace

int main(int argc, char** argv) try {
    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    using frostline::dataset_part;
    const auto weights = std::filesystem::temp_directory_path() / "frostline_05_fine_tune.safetensors";

    const auto before = images(dataset_part::train, old_classes, tiny ? 1500 : 20000);
    const auto before_test = images(dataset_part::test, old_classes, tiny ? 200 : 5000);
    auto trained = new_network(before);
    const auto first =
        train(trained, {"never", frostline::never{}},
              {.epochs = tiny ? std::size_t{3} : std::size_t{5}, .batch_size = 32}, before, before_test);
    frostline::save_weights(trained, weights);
    std::cout << "classes 0 to 4: accuracy " << *first.test_accuracy << '\n';

    const auto data = images(dataset_part::train, new_classes, tiny ? 300 : 500);
    const auto test = images(dataset_part::test, new_classes, tiny ? 200 : 5000);
    const frostline::training_options options{.epochs = tiny ? std::size_t{6} : std::size_t{20},
                                              .batch_size = 32,
                                              .schedule = frostline::cosine{.rate = 0.02},
                                              .seed = seed};
    // Freezes by scores and deadline as ever, but the first two fifths of the blocks from the start; those
    // near the input that learn do so at a lower rate than the head.
    const frostline::discriminative freezing(frostline::learn_and_drop{.from_start = 0.4}, 0.7);
    const std::vector<frostline::any_policy> policies{
        {"full", frostline::never{}},
        {"head_only", frostline::head_only{}},
        {"gradual_thaw", frostline::gradual_thaw{.start = 0.2, .end = 0.6, .share = 0.5}},
        {"learn_and_drop", freezing}};
    for (const auto& policy : policies) {
        auto network = new_network(data);
        const auto report = frostline::load_weights(network, weights, {.replace_head = true});
        report.require_complete();
        if (policy.name() == "full") std::cout << report << "\nclasses 5 to 9:\n";
        const auto finished = train(network, policy, options, data, test);
        std::cout << std::setw(16) << policy.name() << ": accuracy " << *finished.test_accuracy << ", "
                  << 100 * finished.training_flops_saved() << "% of the FLOPs of training saved, "
                  << finished.seconds << " s\n";
    }
    std::filesystem::remove(weights);
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
