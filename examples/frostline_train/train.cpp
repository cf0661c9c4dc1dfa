// SPDX-License-Identifier: MIT

#include "program.hpp"
#include "settings.hpp"

#include "frostline/core/parallel.hpp"
#include "frostline/data/any_dataset.hpp"
#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/data/transforms/chosen_classes.hpp"
#include "frostline/data/transforms/cycled_views.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "frostline/data/transforms/padded.hpp"
#include "frostline/data/transforms/split.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "frostline/features/any_feature_store.hpp"
#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "frostline/features/tiered_feature_store.hpp"
#include "frostline/freeze/discriminative.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/freeze/named_scorer.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/io/weights.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/named_schedule.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/report/network_summary_json.hpp"
#include "frostline/report/progress.hpp"
#include "frostline/report/record.hpp"
#include "frostline/report/recorded_run.hpp"
#include "frostline/report/summary_table.hpp"
#include "frostline/train/checkpoints.hpp"
#include "frostline/train/trainer.hpp"

#ifdef FROSTLINE_TRAIN_IMAGES
#include "frostline/data/imagenette.hpp"
#endif

#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using scalar = float;

// Of the processes that share this machine, at least 1.
std::size_t processes_here([[maybe_unused]] const process_group& processes) {
#ifdef FROSTLINE_TRAIN_MPI
    return processes.processes_here();
#else
    return 1;
#endif
}

// Half of what is free in the folder, and nothing where its files lie in memory.
std::size_t room_on_disk(const std::filesystem::path& folder) {
    struct statfs status {};
    if (::statfs(folder.c_str(), &status) != 0 || status.f_type == TMPFS_MAGIC) return 0;
    return static_cast<std::size_t>(status.f_bavail) * static_cast<std::size_t>(status.f_bsize) / 2;
}

// A process's part of its machine's cores: those that its launcher left it, or an equal share of all.
int usual_threads(const process_group& processes) {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    const int left = ::sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    return std::max(1, std::min(left, cores / static_cast<int>(processes_here(processes))));
}

template <class Encoding>
frostline::any_feature_store<scalar> make_encoding_store(const settings& chosen, std::size_t sharers) {
    using memory = frostline::memory_feature_store<scalar, Encoding>;
    using disk = frostline::disk_feature_store<scalar, Encoding>;
    if (chosen.store.starts_with("disk:")) return disk(chosen.store.substr(5), chosen.store_budget);
    if (chosen.store == "disk") return disk(std::filesystem::temp_directory_path(), chosen.store_budget);
    std::error_code none;
    const auto folder = std::filesystem::temp_directory_path(none);
    const std::size_t room = none ? 0 : room_on_disk(folder) / sharers;
    if (chosen.store == "memory" || room == 0) return memory(chosen.store_budget);
    return frostline::tiered_feature_store<scalar, memory, disk>(memory(chosen.store_budget),
                                                                 disk(folder, room));
}

// @param sharers  processes that put their stores onto the same disk
frostline::any_feature_store<scalar> make_store(const settings& chosen, std::size_t sharers) {
    if (chosen.store == "none") return frostline::no_feature_store{};
    if (chosen.store_encoding == "bfloat16")
        return make_encoding_store<frostline::bfloat16_encoding>(chosen, sharers);
    if (chosen.store_encoding == "uint8")
        return make_encoding_store<frostline::uint8_encoding>(chosen, sharers);
    return make_encoding_store<frostline::exact_encoding>(chosen, sharers);
}

std::optional<frostline::plan_costs> costs_in(const std::string& record) {
    if (record.empty()) return std::nullopt;
    return frostline::record_reader(record).read_costs();
}

// Nothing of images that never come again can be stored.
void check_views(const settings& chosen) {
    frostline::require<frostline::argument_error>(
        chosen.augment || chosen.views == 0, "--views ", chosen.views,
        " counts augmented views of each image, but --augment is not there");
    frostline::require<frostline::argument_error>(
        !chosen.augment || chosen.views > 0 || chosen.store == "auto" || chosen.store == "none", "--store ",
        chosen.store,
        " has nothing to hold where --augment shows other images in each epoch: "
        "expected --views with their number, or --store auto or none");
}

frostline::record_line run_json(const settings& chosen, const std::string& policy) {
    return {{"event", "run"},
            {"policy", policy},
            {"scorer", chosen.scorer},
            {"model", chosen.model},
            {"data", chosen.data},
            {"data_dir", chosen.data_dir},
            {"data_folder", frostline::folder_of(chosen.data, chosen.data_dir).string()},
            {"decide_every", chosen.decide_every},
            {"epochs", chosen.epochs},
            {"batch_size", chosen.batch_size},
            {"shards", chosen.shards},
            {"sync_batch_norm", chosen.synchronise_batch_norm},
            {"learning_rate", chosen.learning_rate},
            {"rate_decay", chosen.rate_decay},
            {"schedule", chosen.schedule},
            {"momentum", chosen.momentum},
            {"nesterov", chosen.nesterov},
            {"weight_decay", chosen.weight_decay},
            {"label_smoothing", chosen.label_smoothing},
            {"seed", chosen.seed},
            {"weights", chosen.weights},
            {"replace_head", chosen.replace_head},
            {"classes", chosen.class_list},
            {"train_limit", chosen.train_limit},
            {"test_limit", chosen.test_limit},
            {"validation", chosen.validation_share},
            {"evaluate_every", chosen.evaluate_every},
            {"augment", chosen.augment},
            {"views", chosen.views},
            {"store", chosen.store},
            {"store_budget", chosen.store_budget},
            {"store_encoding", chosen.store_encoding},
            {"plan_costs", chosen.plan_costs}};
}

// All that has to be the same where a run goes on, beside what the trainer compares; where things lie may
// change.
frostline::run_identity identity_of(const settings& chosen, const std::string& policy) {
    const auto run = run_json(chosen, policy);
    frostline::run_identity identity{{"option image-size", std::to_string(chosen.image_size.value_or(0))},
                                     {"option compare", chosen.compare ? "true" : "false"},
                                     {"presence of a record", chosen.record.empty() ? "false" : "true"}};
    constexpr std::array<std::string_view, 5> places{"event", "data_dir", "data_folder", "plan_costs",
                                                     "weights"};
    for (const auto& [key, value] : run.items())
        if (std::find(places.begin(), places.end(), key) == places.end())
            identity.emplace_back(
                "option " + key, value.dump(-1, ' ', true, frostline::record_line::error_handler_t::replace));
    return identity;
}

// What the command line was read to: a number, and a unit.
frostline::checkpoint_every interval_of(const std::string& text) {
    std::size_t count = 0;
    const auto [unit, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (*unit == 'e') return {.epochs = count};
    if (*unit == 's') return {.steps = count};
    return {.minutes = static_cast<double>(count)};
}

// Of the run of this policy, ready to go on where that is wished.
frostline::checkpoints checkpoints_of(const settings& chosen, const std::string& policy) {
    if (chosen.checkpoint.empty()) return {};
    const std::filesystem::path folder = chosen.checkpoint;
    frostline::checkpoints found({.folder = chosen.compare ? folder / policy : folder,
                                  .every = interval_of(chosen.checkpoint_every),
                                  .keep = chosen.checkpoint_keep,
                                  .identity = identity_of(chosen, policy)});
    if (!chosen.resume && !chosen.resume_older) {
        const auto files = found.files();
        frostline::require<frostline::data_error>(
            files.empty(), files.empty() ? "" : files.back().string(),
            " is a checkpoint of an earlier run: --resume goes on from it, another --checkpoint leaves it "
            "alone");
        return found;
    }
    try {
        found.resume(chosen.resume_older);
    } catch (const frostline::data_error& problem) {
        throw frostline::data_error(frostline::sentence(
            problem.what(), "; --resume-older goes on from the newest checkpoint that is whole"));
    }
    return found;
}

// Says what there was not enough memory for: `purpose` follows on "to".
template <class Work>
auto with_memory(const std::string& purpose, const Work& work) {
    try {
        return work();
    } catch (const std::bad_alloc&) {
        throw frostline::error("there is not enough memory to " + purpose);
    }
}

#ifdef FROSTLINE_TRAIN_IMAGES
frostline::image_folder_options image_options(const settings& chosen) {
    return {.size = chosen.image_size.value_or(128)};
}
#endif

frostline::any_dataset load(const settings& chosen, frostline::dataset_part part, std::size_t limit) {
    const auto count = [&](const auto& whole) {
        return limit == 0 ? whole.size() : std::min(limit, whole.size());
    };
#ifdef FROSTLINE_TRAIN_IMAGES
    if (chosen.data == "imagenette") {
        const auto whole = frostline::load_imagenette(chosen.data_dir, part, image_options(chosen));
        // Its files come class by class, so that the first would be of one class.
        const auto taken = [&](const auto& samples) -> frostline::any_dataset {
            auto indices = frostline::batch_order(samples.size(), 0, 0);
            indices.resize(count(samples));
            return frostline::subset(samples, std::move(indices));
        };
        if (chosen.classes.empty()) return taken(whole);
        return taken(frostline::chosen_classes(whole, chosen.classes));
    }
#endif
    const auto taken = [&](const auto& whole) -> frostline::any_dataset {
        const auto samples = frostline::take_first(whole, count(whole));
        return frostline::padded(samples, program::border_of(chosen.model, samples.shape()));
    };
    const auto whole = frostline::load_named(chosen.data, chosen.data_dir, part);
    if (chosen.classes.empty()) return taken(whole);
    return taken(frostline::chosen_classes(whole, chosen.classes));
}

// What the network sees: random shifts of up to an eighth and flips, where wanted, then the usual scale.
frostline::any_dataset prepared(const settings& chosen, const frostline::any_dataset& data, bool augment) {
    const auto scaled = [&](const auto& samples) {
        return frostline::normalised(samples, frostline::usual_statistics(chosen.data));
    };
    if (!augment) return scaled(data);
    const auto shifted = frostline::augmented(
        data, chosen.seed, frostline::random_crop{data.shape().height / 8}, frostline::horizontal_flip{});
    if (chosen.views == 0) return scaled(shifted);
    return scaled(frostline::cycled_views(shifted, chosen.views));
}

// Runs one after the other on one network, from the same weights and over the same batches.
template <class Network>
class session {
public:
    session(const settings& chosen, const std::atomic<bool>& interrupted, process_group& processes,
            Network network, frostline::any_scorer<scalar> scorer, frostline::any_dataset train,
            std::optional<frostline::any_dataset> validation, frostline::any_dataset test)
        : chosen_(chosen),
          interrupted_(interrupted),
          processes_(processes),
          sharers_(processes_here(processes)),
          network_(std::move(network)),
          scorer_(std::move(scorer)),
          train_(std::move(train)),
          validation_(std::move(validation)),
          test_(std::move(test)),
          options_{.epochs = chosen.epochs,
                   .batch_size = chosen.batch_size,
                   .schedule = frostline::named_schedule(chosen.schedule, chosen.learning_rate),
                   .weight_decay = chosen.weight_decay,
                   .seed = chosen.seed,
                   .shards = chosen.shards,
                   .decide_every = chosen.decide_every,
                   .evaluate_every = chosen.evaluate_every,
                   .costs = costs_in(chosen.plan_costs),
                   .synchronise_batch_norm = chosen.synchronise_batch_norm},
          loss_{{.label_smoothing = chosen.label_smoothing}},
          optimiser_{{.momentum = chosen.momentum, .nesterov = chosen.nesterov}} {}

    // The policies, one run each.
    void run(const std::vector<frostline::any_policy>& policies) {
        // What can be refused is refused before anything is computed or written.
        frostline::check(options_, network_, train_);
        frostline::check_fit(network_, test_, "test");
        const auto store = make_store(chosen_, sharers_);
        if (options_.costs) frostline::check(*options_.costs, network_.blocks(), store.tiers().size());
        std::vector<frostline::checkpoints> saved;
        for (const auto& policy : policies)
            saved.push_back(first() ? checkpoints_of(chosen_, policy.name()) : frostline::checkpoints());
        const auto begins = [](const auto& each) { return each.resumes_from().empty(); };
        if (std::any_of(saved.begin(), saved.end(), begins)) read_weights();
        // A run is over where a later one has begun, and the record holds all of it.
        std::size_t latest = 0;
        for (std::size_t run = 0; run < saved.size(); ++run)
            if (!saved[run].resumes_from().empty()) latest = run;

        for (std::size_t run = 0; run < policies.size(); ++run) {
            const bool appends = run > 0 || !saved[run].resumes_from().empty();
            const auto existing =
                appends ? frostline::existing_record::append : frostline::existing_record::replace;
            train_with(policies[run], saved[run], run < latest ? std::nullopt : std::optional(existing));
            if (interrupted()) return;
        }
        if (!first()) return;
        if (chosen_.compare && !chosen_.record.empty()) {
            frostline::record record(chosen_.record, chosen_.policy, scorer_.name(),
                                     frostline::existing_record::append);
            record.write(frostline::comparison_json(summaries_.front(), summaries_.back()));
        }
        if (chosen_.quiet) return;
        if (chosen_.compare)
            frostline::print_summary(std::cout, logs_.front(), logs_.back());
        else
            frostline::print_summary(std::cout, logs_.front());
        if (!chosen_.record.empty()) std::cout << "record: " << chosen_.record << '\n';
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

    // @param existing  what becomes of a record that is there; nothing: this run's record is finished
    void train_with(const frostline::any_policy& policy, frostline::checkpoints& saved,
                    std::optional<frostline::existing_record> existing) {
        warm_up();
        if (interrupted()) return;
        logs_.push_back({.policy = policy.name()});
        auto& log = logs_.back();
        std::optional<frostline::progress> progress;
        if (!chosen_.quiet) progress.emplace(policy.name());
        optional_record record;
        if (first() && !chosen_.record.empty() && existing) {
            record.held.emplace(chosen_.record, policy.name(), scorer_.name(), *existing);
            if (saved.resumes_from().empty()) {
                auto line = run_json(chosen_, policy.name());
                line.update(frostline::environment_json());
                record.held->write(line);
            }
        }
        std::string failure;
        auto observers = [&](const auto& event) {
            if (progress) frostline::notify(*progress, event);
            if constexpr (std::is_same_v<decltype(event), const frostline::store_failed&>)
                failure = event.reason;
        };
        network_.initialise(chosen_.seed);
        // A run that goes on takes them from its checkpoint.
        if (first_weights_ && saved.resumes_from().empty()) {
            const auto loaded =
                frostline::load_weights(network_, *first_weights_, {.replace_head = replaces_head_});
            if (!chosen_.quiet) std::cout << loaded << '\n';
        }
        frostline::trainer trainer{network_, loss_,
                                   optimiser_, scorer_,
                                   policy, make_store(chosen_, sharers_),
                                   stop_on_signal_, log,
                                   observers, record};
        const auto finished =
            trainer.run(options_, train_, test_, validation_, stop_on_signal_.token(), saved, processes_);
        summaries_.push_back(frostline::summary_json(policy.name(), finished));
        progress.reset();
        if (!failure.empty()) std::cerr << "frostline-train: " << failure << '\n';
        if (first() && !chosen_.save.empty())
            frostline::save_weights(network_, chosen_.save,
                                    {{"model", chosen_.model},
                                     {"data", chosen_.data},
                                     {"image_size", std::to_string(network_.input_shape().height)}});
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
            frostline::take_first(train_, std::min(train_.size(), 2 * options_.batch_size));
        auto options = options_;
        options.epochs = 1;
        options.costs.reset();
        frostline::trainer trainer{
            network_,       loss_, optimiser_, scorer_, frostline::never{}, frostline::no_feature_store{},
            stop_on_signal_};
        trainer.run(options, few, {}, {}, stop_on_signal_.token(), {}, processes_);
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

    // A signal's handler may not request a stop by itself, so a step looks whether there was one.
    class signal_watch {
    public:
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
    frostline::any_dataset train_;
    std::optional<frostline::any_dataset> validation_;
    frostline::any_dataset test_;
    frostline::training_options options_;
    frostline::softmax_cross_entropy<scalar> loss_;
    frostline::sgd<scalar> optimiser_;

    std::optional<frostline::safetensors_file> first_weights_;
    bool replaces_head_ = false;

    std::vector<frostline::run_log> logs_;
    std::vector<frostline::record_line> summaries_;
};

// Needs no data but the names of the classes of a tree of images.
void summarise(const settings& chosen) {
    const auto& set = frostline::find_named(chosen.data);
    std::size_t size = set.size, classes = 10;
#ifdef FROSTLINE_TRAIN_IMAGES
    if (size == 0) {
        size = image_options(chosen).size;
        classes =
            frostline::class_names_of(frostline::folder_of(chosen.data, chosen.data_dir) / "train").size();
    }
#endif
    if (!chosen.classes.empty()) classes = chosen.classes.size();
    size += 2 * program::border_of(chosen.model, {size, size, set.channels});
    frostline::with_model<scalar>(chosen.model, {size, size, set.channels}, classes,
                                  [&](const auto& network) {
                                      const auto blocks = frostline::summary(network);
                                      if (!chosen.quiet) frostline::print_summary(std::cout, blocks);
                                      if (chosen.record.empty()) return;
                                      frostline::record lines(chosen.record, "", "");
                                      for (const auto& line : frostline::summary_lines(blocks))
                                          lines.write(line);
                                  });
}

// What can be refused without the data is refused before they are loaded, which may take minutes.
void check_names(const settings& chosen) {
    frostline::require_named_model(chosen.model);
    frostline::require<frostline::argument_error>(
        frostline::find_named(chosen.data).size == 0 || !chosen.image_size,
        "--image-size is for imagenette: the images of ", chosen.data, " are of one size");
    frostline::named_schedule(chosen.schedule, chosen.learning_rate);
    frostline::sgd<scalar>({.momentum = chosen.momentum, .nesterov = chosen.nesterov});
#ifdef FROSTLINE_TRAIN_IMAGES
    // Without memory for them the images of the test part are listed, not decoded.
    if (chosen.data == "imagenette" && !chosen.summary)
        frostline::load_imagenette(chosen.data_dir, frostline::dataset_part::test, {.memory = 0});
#else
    frostline::require<frostline::argument_error>(
        chosen.data != "imagenette",
        "this program was built without what reads imagenette: libjpeg-turbo and libpng");
#endif
}

}  // namespace

void train(const settings& wished, const std::atomic<bool>& interrupted, process_group& processes) {
    settings chosen = wished;
    const bool first = processes.rank() == 0;
    if (!first) chosen.quiet = true;
    if (chosen.shards == 0) chosen.shards = processes.size();
    std::vector<frostline::any_policy> policies{frostline::named_policy(chosen.policy)};
    if (chosen.compare) {
        frostline::require<frostline::argument_error>(
            policies.front().name() != "never",
            "--compare compares a policy with never: expected another --policy, found \"", chosen.policy,
            '"');
        policies.insert(policies.begin(), frostline::any_policy("never", frostline::never{}));
    }
    if (chosen.scorer.empty())
        chosen.scorer = policies.back().scorer.empty() ? "weight_change" : policies.back().scorer;
    const auto scorer = frostline::named_scorer<scalar>(chosen.scorer);
    if (chosen.rate_decay != 1)
        for (auto& policy : policies)
            policy =
                frostline::any_policy(policy.name(), frostline::discriminative(policy, chosen.rate_decay));
    check_views(chosen);
    frostline::require<frostline::argument_error>(
        !chosen.weights.empty() || !chosen.replace_head,
        "--replace-head draws the head of given weights anew, but --weights does not tell which");
    frostline::require<frostline::argument_error>(
        !chosen.checkpoint.empty() || (!chosen.resume && !chosen.resume_older),
        "--resume goes on from a checkpoint, but --checkpoint does not tell in which folder");
    if (first && !chosen.record.empty()) frostline::record::check(chosen.record);
    if (first && !chosen.save.empty()) frostline::check_replaceable(chosen.save);
    check_names(chosen);
    if (chosen.summary) return first ? summarise(chosen) : void();
    if (chosen.threads > 0)
        frostline::set_threads(chosen.threads);
    else if (processes.size() > 1)
        frostline::set_threads(usual_threads(processes));
    auto train = with_memory("load the training part of " + chosen.data, [&] {
        return load(chosen, frostline::dataset_part::train, chosen.train_limit);
    });
    const auto test = with_memory("load the test part of " + chosen.data, [&] {
        return prepared(chosen, load(chosen, frostline::dataset_part::test, chosen.test_limit), false);
    });
    std::optional<frostline::any_dataset> validation;
    if (chosen.validation_share != 0) {
        auto parts = frostline::split(train, chosen.validation_share, chosen.seed);
        train = std::move(parts.train);
        validation = prepared(chosen, std::move(parts.validation), false);
    }
    train = prepared(chosen, train, chosen.augment);
    frostline::with_model<scalar>(chosen.model, train.shape(), train.classes(), [&](auto network) {
        session(chosen, interrupted, processes, std::move(network), scorer, train, validation, test)
            .run(policies);
    });
}
