// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/io/whole_file.hpp"
#include "frostline/train/checkpoint_file.hpp"
#include "frostline/train/run_identity.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// When a checkpoint is written, beside the end of the run and a stop; 0: not for this reason.
struct checkpoint_every {
    std::size_t epochs = 0;
    std::size_t steps = 0;
    double minutes = 0;
};

struct checkpoints_options {
    std::filesystem::path folder{};  ///< of this run alone, made where it is not there; empty: no checkpoints
    checkpoint_every every{.epochs = 1};
    std::size_t keep = 3;  ///< the last so many files stay, at least 1
    /// What has to be the same when the run goes on, beside what the trainer compares by itself: the policy,
    /// the scorer, the optimiser's options, ... Names for people, and values, both UTF-8.
    run_identity identity{};
};

/// The checkpoints of a run, files in a folder: `step-000000001234.safetensors`, written while the trainer
/// runs, and read to go on from the newest. See checkpoint_file for what is in them.
class checkpoints {
public:
    /// None.
    checkpoints() = default;

    /// @throws argument_error when none would be kept, data_error when the folder cannot be made or written
    explicit checkpoints(checkpoints_options options) : options_(std::move(options)) {
        require<argument_error>(options_.keep >= 1, "at least 1 checkpoint has to be kept, found 0");
        if (!wanted()) return;
        std::error_code problem;
        std::filesystem::create_directories(options_.folder, problem);
        require<data_error>(!problem, options_.folder.string(), ": cannot be made (", problem.message(), ")");
        check_replaceable(file_of(0));
    }

    bool wanted() const { return !options_.folder.empty(); }

    /// All files of checkpoints, the newest last. @throws data_error when the folder cannot be read
    std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> found;
        for_each_file([&](const std::filesystem::path& path) {
            if (path.extension() == extension) found.push_back(path);
        });
        std::sort(found.begin(), found.end());
        return found;
    }

    /// The next run goes on from the newest checkpoint; from its start where there is none.
    /// @param skip_damaged  passes over damaged ones, down to the newest that is whole
    /// @throws data_error when the newest is damaged, or all of them are
    void resume(bool skip_damaged = false) {
        auto all = files();
        while (skip_damaged && all.size() > 1) {
            try {
                return resume_from(all.back());
            } catch (const data_error&) {
                all.pop_back();
            }
        }
        if (!all.empty()) resume_from(all.back());
    }

    /// The next run goes on from this file. @throws data_error when it is damaged
    void resume_from(const std::filesystem::path& path) { from_.emplace(path); }

    /// The file that the next run goes on from; empty: none.
    std::string resumes_from() const { return from_ ? from_->name() : std::string(); }

    /// For the trainer, at the start of a run in several processes: all of them go on from the file that the
    /// first one goes on from, which nobody else has to be able to read.
    template <communicator Communicator>
    void share(Communicator& processes) {
        if (processes.size() == 1) return;
        const bool first = processes.rank() == 0;
        const auto broadcast = [&](auto& values) {
            std::uint64_t size = values.size();
            processes.broadcast(std::as_writable_bytes(std::span(&size, 1)));
            values.resize(static_cast<std::size_t>(size));
            processes.broadcast(std::as_writable_bytes(std::span(values.data(), values.size())));
        };
        aligned_vector<std::byte> bytes;
        std::string name = resumes_from();
        if (first && from_) bytes.assign(from_->bytes().begin(), from_->bytes().end());
        broadcast(bytes);
        broadcast(name);
        if (first) return;
        from_.reset();
        if (!bytes.empty()) from_.emplace(std::move(bytes), std::move(name));
    }

    /// For the trainer, at the start of a run: sets network, optimiser and state as the checkpoint has them,
    /// where the run goes on from one. @throws data_error unless it belongs to this run, argument_error when
    /// there is state that could not be saved
    template <class Network, class Optimiser, class State>
    void load(Network& network, Optimiser& optimiser, const run_identity& identity, const State& state) {
        auto nothing = [](std::string_view, auto&&) {};
        if (wanted()) state(nothing);
        since_saved_ = stopwatch();
        if (const auto file = std::exchange(from_, std::nullopt))
            file->load(network, optimiser, whole(identity), state);
    }

    /// For the trainer: writes a checkpoint after so many steps, and removes those that are not kept.
    /// @throws data_error when it cannot be written; the earlier ones are still there then
    template <class Network, class Optimiser, class State>
    void save(std::size_t step, Network& network, Optimiser& optimiser, const run_identity& identity,
              const State& state) {
        if (!wanted()) return;
        const auto path = file_of(step);
        checkpoint_file::write(path, network, optimiser, whole(identity), state);
        remove_all_but(path);
        since_saved_ = stopwatch();
    }

    /// For the trainer: whether a checkpoint is due after so many steps.
    bool due_after_step(std::size_t step) const {
        const auto& every = options_.every;
        return wanted() && ((every.steps > 0 && step % every.steps == 0) ||
                            (every.minutes > 0 && since_saved_.seconds() >= 60 * every.minutes));
    }

    /// For the trainer: whether a checkpoint is due after so many epochs.
    bool due_after_epoch(std::size_t epoch) const {
        return wanted() && options_.every.epochs > 0 && epoch % options_.every.epochs == 0;
    }

private:
    static constexpr std::string_view start = "step-", extension = ".safetensors", part = ".part";

    std::filesystem::path file_of(std::size_t step) const {
        constexpr std::size_t digits = 12;
        const std::string number = std::to_string(step);
        const std::string zeros(digits > number.size() ? digits - number.size() : 0, '0');
        return options_.folder / (std::string(start) + zeros + number + std::string(extension));
    }

    template <class Visit>
    void for_each_file(const Visit& visit) const {
        if (!wanted()) return;
        std::error_code problem;
        for (std::filesystem::directory_iterator entry(options_.folder, problem), end;
             !problem && entry != end; entry.increment(problem))
            if (entry->path().filename().string().starts_with(start)) visit(entry->path());
        require<data_error>(!problem, options_.folder.string(), ": cannot be read (", problem.message(), ")");
    }

    // Also what a program that was killed left behind, and what is ahead of the newest: damaged, or of a run
    // that went on from there and that this one repeats.
    void remove_all_but(const std::filesystem::path& newest) const {
        auto old = files();
        const auto ahead = std::upper_bound(old.begin(), old.end(), newest);
        const auto kept = std::min(options_.keep, static_cast<std::size_t>(ahead - old.begin()));
        old.erase(ahead - static_cast<std::ptrdiff_t>(kept), ahead);
        for_each_file([&](const std::filesystem::path& path) {
            if (path.extension() == part) old.push_back(path);
        });
        std::error_code ignored;
        for (const auto& path : old) std::filesystem::remove(path, ignored);
    }

    run_identity whole(run_identity identity) const {
        identity.insert(identity.end(), options_.identity.begin(), options_.identity.end());
        return identity;
    }

    checkpoints_options options_;
    std::optional<checkpoint_file> from_;
    stopwatch since_saved_;
};

}  // namespace frostline
