// SPDX-License-Identifier: MIT
// One run of online.py: a stream of a data set's images through an online_learner. Prints a line of JSON
// every so many samples, and one at the end.

#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/data/any_dataset.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "frostline/data/transforms/padded.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/freeze/named_scorer.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/report/peak_memory.hpp"
#include "frostline/train/online_learner.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace frostline;
using nlohmann::json;

struct settings {
    std::string model = "lenet5", data = "fashion-mnist", data_dir, policy = "never", scorer;
    std::size_t samples = 20000, batch = 1, buffer = 1000, drift_at = 0, tell_every = 500;
    std::size_t store_budget = std::size_t{1} << 30;
    bool bytes = false;
    online_options options{};
};

/// Bytes of memory that the process has now.
std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    require<error>(bool(file >> total >> resident), "this system does not tell the memory of a process");
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// The samples of a stream: pass by pass over the data set, each in an order of its own. With a drift, those
/// of the lower half of the classes come before it, and the others after.
class sample_stream {
public:
    sample_stream(any_dataset data, const settings& chosen) : data_(std::move(data)), chosen_(chosen) {}

    /// The index of sample `number`; to be asked for in rising order.
    std::size_t index(std::size_t number) {
        while (true) {
            if (place_ == order_.size()) {
                order_ = batch_order(data_.size(), chosen_.options.seed, pass_++);
                place_ = 0;
            }
            const std::size_t found = order_[place_++];
            const bool upper = 2 * static_cast<std::size_t>(data_.target(found)) >= data_.classes();
            if (chosen_.drift_at == 0 || upper == (number >= chosen_.drift_at)) return found;
        }
    }

private:
    any_dataset data_;
    const settings& chosen_;
    std::vector<std::size_t> order_;
    std::size_t place_ = 0;
    std::uint64_t pass_ = 0;
};

any_dataset load(const settings& chosen) {
    const auto raw = load_named(chosen.data, chosen.data_dir, dataset_part::train);
    const std::size_t border = raw.shape().height == 28 && chosen.model != "lenet5" ? 2 : 0;
    return normalised(padded(raw, border), usual_statistics(chosen.data));
}

template <class Learner>
json state_of(const Learner& learner, double seconds) {
    return {{"event", "progress"},
            {"samples", learner.samples()},
            {"steps", learner.steps()},
            {"seconds", seconds},
            {"accuracy", learner.accuracy()},
            {"recent_accuracy", learner.recent_accuracy()},
            {"frozen", learner.frozen()},
            {"dropped", learner.dropped()},
            {"bytes", learner.bytes()},
            {"resident_bytes", resident_bytes()}};
}

template <class Network, class Buffer>
void run(Network& network, const any_dataset& data, Buffer buffer, const settings& chosen) {
    network.initialise(chosen.options.seed);
    const auto policy = named_policy(chosen.policy);
    const std::string scorer = !chosen.scorer.empty()  ? chosen.scorer
                               : policy.scorer.empty() ? "weight_change"
                                                       : policy.scorer;
    auto tell_moves = [](const frost_line_moved& move) {
        std::cout << json{{"event", "move"},
                          {"steps", move.step},
                          {"frozen", move.frozen},
                          {"dropped", move.dropped},
                          {"reason", move.reason}}
                  << std::endl;
    };
    online_learner learner{network,
                           softmax_cross_entropy<float>{},
                           sgd<float>{},
                           named_scorer<float>(scorer),
                           policy,
                           memory_feature_store<float>(chosen.store_budget),
                           std::move(buffer),
                           chosen.options,
                           tell_moves};
    sample_stream stream(data, chosen);
    tensor<float> images;
    std::vector<std::size_t> indices;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    double seconds = 0;  // of partial_fit alone
    std::size_t told = 0;
    while (learner.samples() < chosen.samples) {
        indices.clear();
        while (indices.size() < std::min(chosen.batch, chosen.samples - learner.samples()))
            indices.push_back(stream.index(learner.samples() + indices.size()));
        load_batch(data, indices, images, targets, ids);
        const stopwatch watch;
        learner.partial_fit(images, targets);
        seconds += watch.seconds();
        if (learner.samples() / chosen.tell_every == told) continue;
        told = learner.samples() / chosen.tell_every;
        std::cout << state_of(learner, seconds) << std::endl;
    }
    json last = state_of(learner, seconds);
    last["event"] = "end";
    last["samples_per_second"] = static_cast<double>(learner.samples()) / seconds;
    if (const auto peak = peak_memory_bytes()) last["peak_resident_bytes"] = *peak;
    std::cout << last << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    auto& options = chosen.options;
    CLI::App app{"Trains online on a stream of images.", "frostline-online"};
    app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--model", chosen.model, "Network, by its name in frostline-train");
    app.add_option("--data", chosen.data, "Data set, by its name in frostline-train");
    app.add_option("--data-dir", chosen.data_dir, "Folder with the data set");
    app.add_option("--policy", chosen.policy, "Freezing policy");
    app.add_option("--scorer", chosen.scorer, "Scorer; the one that the policy is meant for by default");
    app.add_option("--samples", chosen.samples, "Length of the stream");
    app.add_option("--batch", chosen.batch, "New samples a step")->check(CLI::PositiveNumber);
    app.add_option("--replayed", options.replayed, "Replayed samples a step");
    app.add_option("--buffer", chosen.buffer, "Samples that are kept for replay");
    app.add_flag("--byte-pixels", chosen.bytes, "Keep their pixels in a byte each");
    app.add_flag("!--drop-pixels", options.keep_pixels, "Keep features in place of pixels");
    app.add_option("--store-budget", chosen.store_budget, "Bytes that the feature store may hold");
    app.add_option("--lr", options.learning_rate, "Learning rate");
    app.add_option("--decide-every", options.decide_every, "Steps from one decision to the next");
    app.add_option("--horizon", options.horizon, "Steps that a policy looks ahead");
    app.add_option("--window", options.window, "Samples of the recent accuracy")->check(CLI::PositiveNumber);
    app.add_option("--drift-window", options.drift.window, "Samples of the running loss");
    app.add_option("--drift-rise", options.drift.loss_rise,
                   "Rise of the running loss that is a drift; 0: none");
    app.add_option("--drift-at", chosen.drift_at, "The sample at which the classes change; 0: they do not");
    app.add_option("--seed", options.seed, "Of weights, stream and replay");
    app.add_option("--tell-every", chosen.tell_every, "Samples from one line to the next")
        ->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        const auto data = load(chosen);
        with_model<float>(chosen.model, data.shape(), data.classes(), [&](auto network) {
            if (chosen.bytes)
                run(network, data, replay_buffer<float, uint8_encoding>(chosen.buffer), chosen);
            else
                run(network, data, replay_buffer<float>(chosen.buffer), chosen);
        });
    } catch (const std::exception& failure) {
        std::cerr << "frostline-online: " << failure.what() << '\n';
        return 1;
    }
}
