// SPDX-License-Identifier: MIT
// Online training: LeNet-5 meets the images of Fashion-MNIST one by one, each once. Half-way, the first five
// classes make way for the other five.
// Usage: 06_online [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <span>
#include <string_view>
#include <vector>

int main(int argc, char** argv) try {
    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    const std::size_t half = tiny ? 600 : 10000, told_every = half / 5;
    const auto images =
        frostline::normalised(frostline::load_named("fashion-mnist", "", frostline::dataset_part::train),
                              frostline::usual_statistics("fashion-mnist"));
    std::vector<std::size_t> stream;
    for (const bool later : {false, true}) {
        const std::size_t end = stream.size() + half;
        for (std::size_t index = 0; stream.size() < end; ++index)
            if ((images.target(index) >= 5) == later) stream.push_back(index);
    }

    auto network = frostline::lenet5<float>(images.shape(), images.classes());
    network.initialise(/*seed=*/1);
    auto tell_moves = [](const frostline::frost_line_moved& move) {
        std::cout << "  sample " << move.step << ": " << move.frozen << " blocks frozen, " << move.dropped
                  << " dropped: " << move.reason << '\n';
    };
    frostline::online_learner learner{
        network,
        frostline::softmax_cross_entropy<float>{},
        frostline::sgd<float>{},
        frostline::weight_change{},
        frostline::learn_and_drop{.deadline = 2},  // by scores alone: a stream has no end to be in time for
        frostline::memory_feature_store<float>(std::size_t{64} << 20),
        frostline::replay_buffer<float, frostline::uint8_encoding>(tiny ? 200 : 1000),
        {.learning_rate = 0.002,
         .replayed = 7,
         .decide_every = tiny ? std::size_t{50} : std::size_t{500},
         .horizon = tiny ? std::size_t{200} : std::size_t{2000},
         .drift = {.window = tiny ? std::size_t{40} : std::size_t{100}},
         .window = told_every},
        tell_moves};

    frostline::tensor<float> image;
    frostline::resize(image, 1, images.shape());
    for (std::size_t number = 0; number < stream.size(); ++number) {
        images.read(stream[number], std::span<float>(image.data(), image.size()));
        const std::int32_t target = images.target(stream[number]);
        learner.partial_fit(image, std::span(&target, 1));
        if ((number + 1) % told_every == 0)
            std::cout << number + 1 << " samples, classes " << (number < half ? "0 to 4" : "5 to 9")
                      << ": accuracy on the last ones, before they were learnt, " << std::setprecision(3)
                      << 100 * learner.recent_accuracy() << "%, " << learner.bytes() / 1024 << " KiB\n";
    }
    std::cout << "prequential accuracy " << 100 * learner.accuracy() << "%\n";
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
