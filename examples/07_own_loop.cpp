// SPDX-License-Identifier: MIT
// Learn&Drop in a training loop of one's own, without the trainer. What it adds stands between "method" and
// "end"; forward, backward and update begin at line.frozen() in place of 0.
// Usage: 07_own_loop [--tiny]

#include <frostline/data/named_dataset.hpp>
#include <frostline/frostline.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <string_view>
#include <vector>

int main(int argc, char** argv) try {
    const bool tiny = argc > 1 && std::string_view(argv[1]) == "--tiny";
    const std::size_t epochs = tiny ? 3 : 10, batch_size = 128;
    const double rate = 0.02;
    const auto images = frostline::normalised(
        frostline::take_first(frostline::load_named("fashion-mnist", "", frostline::dataset_part::train),
                              tiny ? 256 : 15000),
        frostline::usual_statistics("fashion-mnist"));
    const std::size_t steps = (images.size() + batch_size - 1) / batch_size;  // an epoch

    auto network = frostline::lenet5<float>(images.shape(), images.classes());
    const std::size_t blocks = network.blocks();
    const std::vector<frostline::block_rate> rates(blocks, {.rate = rate, .decay = 5e-4});
    frostline::softmax_cross_entropy<float> loss;
    frostline::sgd<float> optimiser;
    optimiser.attach(network.slices());
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    frostline::tensor<float> gradient;

    // method
    frostline::memory_feature_store<float> store(std::size_t{1} << 30);
    frostline::frost_line line(network, store);
    frostline::drop_planner planner(network, store);
    frostline::decision_history decisions(network, frostline::weight_change{}, frostline::learn_and_drop{});
    decisions.start(epochs);
    // end

    for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
        double loss_sum = 0;
        const auto order = frostline::batch_order(images.size(), /*seed=*/1, epoch);
        for (std::size_t first = 0; first < order.size(); first += batch_size) {
            const auto batch = std::span(order).subspan(first, std::min(batch_size, order.size() - first));
            // method: what enters the first block that learns, from the store or computed
            const auto& x = line.input(images, batch, targets, ids);
            // end
            const auto& logits = network.forward(x, line.frozen(), blocks, {frostline::phase::training});
            loss_sum += static_cast<double>(batch.size()) *
                        loss(logits, std::span<const std::int32_t>(targets), gradient);
            network.backward(x, gradient, line.frozen(), blocks);
            optimiser.step(network.arenas().values(), network.arenas().gradients(), line.frozen(), rates);
            // method: scorers that observe gradients or the path want before_step and before_update, too
            decisions.count_step(rate);
            // end
        }
        const double mean_loss = loss_sum / static_cast<double>(images.size());
        std::cout << "epoch " << epoch << ": loss " << mean_loss << ", " << line.frozen() << " of " << blocks
                  << " blocks frozen, " << line.dropped() << " dropped\n";

        // method
        const double rate_left = rate * static_cast<double>((epochs - epoch) * steps);
        const auto decision = decisions.take(epoch, epoch * steps, mean_loss, rate_left, line.frozen());
        const auto frozen = decisions.boundary(decision.wanted.leading());
        const auto plan = planner.plan(images, epochs - epoch, frozen);
        line.move(frozen, plan.dropped);
        planner.moved(plan);
        // end
    }
} catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
}
