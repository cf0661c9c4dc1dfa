// SPDX-License-Identifier: MIT

#include "settings.hpp"

#include "frostline/core/parallel.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "frostline/data/transforms/padded.hpp"
#include "frostline/data/transforms/split.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "frostline/features/any_feature_store.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/freeze/weight_change.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/named_schedule.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/report/progress.hpp"
#include "frostline/report/record.hpp"
#include "frostline/report/summary_table.hpp"
#include "frostline/train/trainer.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <optional>
#include <vector>

namespace {

using scalar = float;

frostline::any_feature_store<scalar> make_store(const settings& chosen) {
    if (chosen.store == "none") return frostline::no_feature_store{};
    return frostline::memory_feature_store<scalar>(chosen.store_budget);
}

frostline::record_line run_json(const settings& chosen, const std::string& policy) {
    frostline::record_line line{{"event", "run"},
                                {"policy", policy},
                                {"scorer", "weight_change"},
                                {"model", chosen.model},
                                {"data", chosen.data},
                                {"data_dir", chosen.data_dir},
                                {"epochs", chosen.epochs},
                                {"batch_size", chosen.batch_size},
                                {"learning_rate", chosen.learning_rate},
                                {"schedule", chosen.schedule},
                                {"momentum", chosen.momentum},
                                {"nesterov", chosen.nesterov},
                                {"weight_decay", chosen.weight_decay},
                                {"label_smoothing", chosen.label_smoothing},
                                {"seed", chosen.seed},
                                {"train_limit", chosen.train_limit},
                                {"test_limit", chosen.test_limit},
                                {"validation", chosen.validation_share},
                                {"store", chosen.store},
                                {"store_budget", chosen.store_budget}};
    line.update(frostline::environment_json());
    return line;
}

// 28x28 images get a border of two, so that five poolings leave a pixel; LeNet-5 pads by itself.
auto load(const settings& chosen, frostline::dataset_part part, std::size_t limit) {
    const auto whole = frostline::load_named(chosen.data, chosen.data_dir, part);
    const std::size_t count = limit == 0 ? whole.size() : std::min(limit, whole.size());
    const std::size_t border = chosen.model == "lenet5" ? 0 : 2;
    return frostline::normalised(frostline::padded(frostline::take_first(whole, count), border),
                                 frostline::usual_statistics(chosen.data));
}

// One run after the other on one network, so that the memory of all is the same and warm.
template <class Network, class Train, class Validation, class Test>
class session {
public:
    session(const settings& chosen, Network network, Train train, Validation validation, Test test)
        : chosen_(chosen),
          network_(std::move(network)),
          train_(std::move(train)),
          validation_(std::move(validation)),
          test_(std::move(test)),
          options_{.epochs = chosen.epochs,
                   .batch_size = chosen.batch_size,
                   .schedule = frostline::named_schedule(chosen.schedule, chosen.learning_rate),
                   .weight_decay = chosen.weight_decay,
                   .seed = chosen.seed} {}

    void run() {
        // All that can be refused is refused before anything is computed or written.
        const auto policy = frostline::named_policy(chosen_.policy);
        const frostline::sgd<scalar> optimiser = make_optimiser();
        const frostline::softmax_cross_entropy<scalar> loss{{.label_smoothing = chosen_.label_smoothing}};
        frostline::require<frostline::argument_error>(
            chosen_.batch_size >= 1 && chosen_.batch_size <= train_.size(), "the batch size is ", chosen_.batch_size,
            ", expected at least 1 and at most ", train_.size(), ", the number of training samples");

        std::vector<frostline::any_policy> policies;
        if (chosen_.compare) policies.emplace_back("never", frostline::never{});
        policies.push_back(policy);

        std::vector<frostline::run_log> logs;
        std::vector<frostline::record_line> summaries;
        for (std::size_t number = 0; number < policies.size(); ++number) {
            warm_up(loss, optimiser);
            logs.push_back(train_with(policies[number], number > 0, loss, optimiser, summaries));
        }
        if (chosen_.compare && !chosen_.record.empty()) {
            frostline::record record(chosen_.record, policy.name(), "weight_change", frostline::existing_record::append);
            record.write(frostline::comparison_json(summaries[0], summaries[1]));
        }
        if (!chosen_.quiet) {
            frostline::print_summary(std::cout, logs);
            if (!chosen_.record.empty()) std::cout << "record: " << chosen_.record << '\n';
        }
    }

private:
    frostline::sgd<scalar> make_optimiser() const {
        return frostline::sgd<scalar>{{.momentum = chosen_.momentum, .nesterov = chosen_.nesterov}};
    }

    // Two full steps, so that no run is timed on cold caches and fresh memory; the weights are drawn again afterwards.
    template <class Loss, class Optimiser>
    void warm_up(const Loss& loss, const Optimiser& optimiser) {
        const auto few = frostline::take_first(train_, std::min(train_.size(), 2 * options_.batch_size));
        auto options = options_;
        options.epochs = 1;
        options.batch_size = std::min(options.batch_size, few.size());
        frostline::trainer trainer{network_,           loss, optimiser, frostline::weight_change{}, frostline::never{},
                                   frostline::no_feature_store{}};
        trainer.run(options, few);
    }

    template <class Loss, class Optimiser>
    frostline::run_log train_with(const frostline::any_policy& policy, bool append, const Loss& loss,
                                  const Optimiser& optimiser, std::vector<frostline::record_line>& summaries) {
        network_.initialise(chosen_.seed);
        std::optional<frostline::record> record;
        return {};
    }

    const settings& chosen_;
    Network network_;
    Train train_;
    Validation validation_;
    Test test_;
    frostline::training_options options_;
};

}  // namespace

void train(const settings& chosen) {
    if (chosen.threads > 0) frostline::set_threads(chosen.threads);
}
