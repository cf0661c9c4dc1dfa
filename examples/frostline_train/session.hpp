// SPDX-License-Identifier: MIT
// What run_session does, for the files that instantiate it.
#pragma once

#include "process_group.hpp"
#include "run_line.hpp"
#include "session_parts.hpp"
#include "stores.hpp"

#include "frostline/core/parallel.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/io/weights.hpp"
#include "frostline/optim/named_schedule.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/report/progress.hpp"
#include "frostline/report/record.hpp"
#include "frostline/report/summary_table.hpp"
#include "frostline/train/checkpoints.hpp"
#include "frostline/train/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

template <class Network>
class session {
public:
    session(Network network, const session_parts& parts)
        : chosen_(parts.chosen),
          interrupted_(parts.interrupted),
          processes_(parts.processes),
          sharers_(processes_here(parts.processes)),
          network_(std::move(network)),
          scorer_(parts.scorer),
          others_(parts.others),
          data_(parts.data),
          options_{.epochs = chosen_.epochs,
                   .batch_size = chosen_.batch_size,
                   .schedule = frostline::named_schedule(chosen_.schedule, chosen_.learning_rate),
                   .weight_decay = chosen_.weight_decay,
                   .seed = chosen_.seed,
                   .shards = chosen_.shards,
                   .decide_every = chosen_.decide_every,
                   .evaluate_every = chosen_.evaluate_every,
                   .costs = parts.costs,
                   .synchronise_batch_norm = chosen_.synchronise_batch_norm},
          loss_{{.label_smoothing = chosen_.label_smoothing}},
          optimiser_{{.momentum = chosen_.momentum, .nesterov = chosen_.nesterov}} {}

    // The policies, one run each. @return whether a signal cut them short
    bool run(const std::vector<frostline::any_policy>& policies) {
        // What can be refused is refused before anything is computed or written.
        frostline::check(options_, network_, data_.train);
        frostline::check_fit(network_, data_.test, "test");
        const auto store = make_store(chosen_, sharers_);
        // Where there is no disk to store on, those of memory hold all the same.
        if (options_.costs && options_.costs->tiers.size() > store.tiers().size())
            options_.costs->tiers.resize(store.tiers().size());
        if (options_.costs) frostline::check(*options_.costs, network_.blocks(), store.tiers().size());
        std::vector<frostline::checkpoints> saved;
        for (const auto& policy : policies)
            saved.push_back(first() ? checkpoints_of(chosen_, policy.name()) : frostline::checkpoints());
        const auto begins = [](const auto& each) { return each.resumes_from().empty(); };
        // The others get theirs from the first.
        if (first() && std::any_of(saved.begin(), saved.end(), begins)) read_weights();
        // A run is over where a later one has begun, and the record holds all of it.
        std::size_t latest = 0;
        for (std::size_t run = 0; run < saved.size(); ++run)
            if (!saved[run].resumes_from().empty()) latest = run;

        for (std::size_t run = 0; run < policies.size(); ++run) {
            const bool appends = run > 0 || !saved[run].resumes_from().empty();
            const auto existing =
                appends ? frostline::existing_record::append : frostline::existing_record::replace;
            const bool last = run + 1 == policies.size();
            const bool stopped = train_with(policies[run], saved[run],
                                            run < latest ? std::nullopt : std::optional(existing), last);
            if (stopped || (!last && interrupted())) {
                tell_interruption(saved[run]);
                return true;
            }
        }
        if (!first()) return false;
        if (chosen_.compare && !chosen_.record.empty()) {
            frostline::record record(chosen_.record, chosen_.policy, scorer_.name(),
                                     frostline::existing_record::append);
            record.write(frostline::comparison_json(summaries_.front(), summaries_.back()));
        }
        if (chosen_.quiet) return false;
        if (chosen_.compare)
            frostline::print_summary(std::cout, logs_.front(), logs_.back());
        else
            frostline::print_summary(std::cout, logs_.front());
        if (!chosen_.record.empty()) std::cout << "record: " << chosen_.record << '\n';
        return false;
    }

private:
    // The process that prints and writes.
    bool first() const { return processes_.rank() == 0; }

    // Any of the processes; all of them ask.
    bool interrupted() {
        double count = interrupted_ ? 1 : 0;
        processes_.sum(std::span(&count, 1));
        return count > 0;
    }

    void tell_interruption(const frostline::checkpoints& saved) const {
        if (!first() || chosen_.quiet) return;
        std::cerr << "frostline-train: interrupted";
        const auto files = saved.wanted() ? saved.files() : std::vector<std::filesystem::path>();
        if (!files.empty()) std::cerr << ", --resume goes on from " << files.back().string();
        std::cerr << '\n';
    }

    // @param existing  what becomes of a record that is there; nothing: this run's record is finished
    // @param last  whose weights are saved
    // @return whether it was cut short
    bool train_with(const frostline::any_policy& policy, frostline::checkpoints& saved,
                    std::optional<frostline::existing_record> existing, bool last) {
        warm_up();
        if (interrupted()) return true;
        logs_.push_back({.policy = policy.name()});
        auto& log = logs_.back();
        display shown;
        if (!chosen_.quiet) shown.progress.emplace(policy.name());
        optional_record record;
        if (first() && !chosen_.record.empty() && existing) {
            record.held.emplace(chosen_.record, policy.name(), scorer_.name(), *existing);
            if (saved.resumes_from().empty()) {
                auto line = run_json(chosen_, policy.name());
                line.update(frostline::environment_json());
                record.held->write(line);
            }
        }
        network_.initialise(chosen_.seed);
        // A run that goes on takes them from its checkpoint.
        if (first_weights_ && saved.resumes_from().empty()) {
            const auto loaded =
                frostline::load_weights(network_, *first_weights_, {.replace_head = replaces_head_});
            if (!chosen_.quiet) std::cout << loaded << '\n';
        }
        const auto finished = train_once(policy, make_store(chosen_, sharers_), options_, data_.train,
                                         data_.test, data_.validation, {log, shown, record}, saved);
        summaries_.push_back(frostline::summary_json(policy.name(), finished));
        shown.progress.reset();
        if (!shown.failure.empty()) std::cerr << "frostline-train: " << shown.failure << '\n';
        if (first() && last && !chosen_.save.empty())
            frostline::save_weights(network_, chosen_.save,
                                    {{"model", chosen_.model},
                                     {"data", chosen_.data},
                                     {"image_size", std::to_string(network_.input_shape().height)}});
        return finished.stopped;
    }

    // The weights to start from fit the network, but perhaps for the head.
    void read_weights() {
        if (chosen_.weights.empty()) return;
        first_weights_.emplace(chosen_.weights);
        const auto all = frostline::compare_weights(network_, *first_weights_);
        replaces_head_ = chosen_.replace_head || !all.mismatched.empty();
        if (!replaces_head_) return all.require_complete();
        const auto body = frostline::compare_weights(network_, *first_weights_, {.replace_head = true});
        body.require_complete();
    }

    // Two full steps, so that no run is timed on cold caches and fresh memory.
    void warm_up() {
        const frostline::any_dataset few =
            frostline::take_first(data_.train, std::min(data_.train.size(), 2 * options_.batch_size));
        auto options = options_;
        options.epochs = 1;
        options.costs.reset();
        frostline::run_log log;
        display nothing;
        optional_record none;
        frostline::checkpoints unsaved;
        train_once(frostline::any_policy("never", frostline::never{}), frostline::no_feature_store{}, options,
                   few, std::nullopt, std::nullopt, {log, nothing, none}, unsaved);
    }

    // A record, where there is one.
    struct optional_record {
        std::optional<frostline::record> held;

        void operator()(const auto& event) {
            if (held) frostline::notify(*held, event);
        }
        void for_each_state(const auto& visit) {
            if (held) held->for_each_state(visit);
        }
    };

    // The progress, where it is shown, and why the store failed, where it did.
    struct display {
        std::optional<frostline::progress> progress;
        std::string failure;

        void operator()(const auto& event) {
            if (progress) frostline::notify(*progress, event);
            if constexpr (std::is_same_v<decltype(event), const frostline::store_failed&>)
                failure = event.reason;
        }
    };

    struct observers {
        frostline::run_log& log;
        display& shown;
        optional_record& record;
    };

    // Warming up and training are one type of trainer, and one call of it: it takes long to compile.
    frostline::run_finished train_once(const frostline::any_policy& policy,
                                       frostline::any_feature_store<scalar> store,
                                       const frostline::training_options& options,
                                       const frostline::any_dataset& train,
                                       const std::optional<frostline::any_dataset>& test,
                                       const std::optional<frostline::any_dataset>& validation,
                                       observers told, frostline::checkpoints& saved) {
        frostline::trainer trainer{network_,         loss_,           optimiser_, scorer_,    policy,
                                   std::move(store), stop_on_signal_, told.log,   told.shown, told.record};
        for (const auto& other : others_) trainer.also_score(other);
        return trainer.run(options, train, test, validation, stop_on_signal_.token(), saved, processes_);
    }

    // A signal's handler may not request a stop by itself, so a step looks whether there was one.
    class signal_watch {
    public:
        static constexpr bool in_every_process = true;

        explicit signal_watch(const std::atomic<bool>& interrupted) : interrupted_(interrupted) {}

        void operator()(const frostline::step_finished&) {
            if (interrupted_) stop_.request_stop();
        }
        std::stop_token token() const { return stop_.get_token(); }

    private:
        const std::atomic<bool>& interrupted_;
        std::stop_source stop_;
    };

    const settings& chosen_;
    const std::atomic<bool>& interrupted_;
    signal_watch stop_on_signal_{interrupted_};
    process_group& processes_;
    std::size_t sharers_;  // of the machine
    Network network_;
    frostline::any_scorer<scalar> scorer_;
    const std::vector<frostline::any_scorer<scalar>>& others_;
    const run_data& data_;
    frostline::training_options options_;
    frostline::softmax_cross_entropy<scalar> loss_;
    frostline::sgd<scalar> optimiser_;

    std::optional<frostline::safetensors_file> first_weights_;
    bool replaces_head_ = false;

    std::vector<frostline::run_log> logs_;
    std::vector<frostline::record_line> summaries_;
};

template <class Network>
bool run_session(Network network, const session_parts& parts) {
    return session<Network>(std::move(network), parts).run(parts.policies);
}
