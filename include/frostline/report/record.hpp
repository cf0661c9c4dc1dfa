// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/report/peak_memory.hpp"
#include "frostline/report/record_lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a new record does with a file that exists.
enum class existing_record { replace, append };

/// An observer that writes what happens in a run to a file of JSON lines: `start`, `decision`, `epoch`,
/// `freeze`, `costs`, `store_failed` and `summary`, and whatever lines its program adds by `write`. Numbers
/// that are not finite become null.
///
/// Every line goes to the file at once and as a whole, so that the record of a killed program holds all lines
/// up to then. A line that does not fit on the disk is taken back: the file never holds half a line. Several
/// runs may share a file, one after the other: open the later ones with `existing_record::append`.
class record {
public:
    /// Opens the file: an existing record starts afresh, or is continued, minus a last line that a crash left
    /// incomplete.
    /// @throws data_error if it cannot be written or is there and no record; nothing is changed then
    record(std::filesystem::path path, std::string policy, std::string scorer,
           existing_record existing = existing_record::replace)
        : path_(std::move(path)), policy_(std::move(policy)), scorer_(std::move(scorer)) {
        file_ = open(path_, O_CREAT);
        struct stat status {};
        if (::fstat(file_.descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
        require_record(path_, file_);
        const off_t end = existing == existing_record::append ? end_of_lines(status.st_size) : 0;
        if (end != status.st_size && ::ftruncate(file_.descriptor, end) != 0) fail(path_, errno);
    }

    /// Refuses what the constructor would refuse, and changes nothing.
    /// @throws data_error if the file cannot be written or is there and no record
    static void check(const std::filesystem::path& path) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 && errno == ENOENT && !path.empty()) {
            const auto folder = folder_of(path);
            if (::access(folder.c_str(), W_OK | X_OK) != 0) fail_to_open(path, errno);
        } else if (S_ISREG(status.st_mode)) {
            require_record(path, open(path, 0));
        } else if (S_ISDIR(status.st_mode)) {
            fail(path, EISDIR);
        } else if (::access(path.c_str(), W_OK) != 0) {  // opening a pipe would tell its reader
            fail_to_open(path, errno);
        }
    }

    /// Writes a line of the program's own, such as `run` with all settings before the first step; `schema` is
    /// added.
    /// @throws argument_error if it is no object with a string `event`; data_error if it cannot be written
    void write(const record_line& line) {
        require<argument_error>(line.is_object() && line.contains("event") && line["event"].is_string(),
                                "a line of a record must be an object with a string field event");
        record_line whole{{"schema", record_schema}, {"event", line["event"]}};
        whole.update(line);
        whole["schema"] = record_schema;
        append(whole.dump(-1, ' ', false, record_line::error_handler_t::replace) + "\n");
    }

    /// The `summary` line of the last run; null before it has finished.
    const record_line& summary() const { return summary_; }

    /// For checkpoints: how long the record is. Where a run goes on from an earlier point, the lines behind
    /// it are taken back. @throws data_error when the record is shorter than it was then
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        struct stat status {};
        if (::fstat(file_.descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
        // What a checkpoint counts on has to outlast what the checkpoint outlasts.
        ::fsync(file_.descriptor);
        std::vector<double> bytes{static_cast<double>(status.st_size)};
        visit("record", bytes);
        const off_t wanted = bytes.empty() ? 0 : static_cast<off_t>(bytes.front());
        require<data_error>(wanted >= 0 && wanted <= status.st_size, "the record ", path_.string(), " has ",
                            status.st_size, " bytes, but had ", wanted, " when the checkpoint was written");
        if (wanted != status.st_size && ::ftruncate(file_.descriptor, wanted) != 0) fail(path_, errno);
    }

    /// Starts measuring the run's peak memory, which resets the peak of the process.
    void operator()(const run_started& event) {
        memory_.start();
        if (event.step > 0) return;  // the line is there
        record_line blocks = record_line::array();
        for (const auto& block : event.costs)
            blocks.push_back({{"forward_flops", std::llround(block.forward_flops)},
                              {"backward_flops", std::llround(block.backward_flops)},
                              {"backward_input_flops", std::llround(block.backward_input_flops)},
                              {"backward_inner_flops", std::llround(block.backward_inner_flops)},
                              {"output_bytes", std::llround(block.output_bytes)}});
        write({
            {"event", "start"},
            {"epochs", event.epochs},
            {"steps_per_epoch", event.steps_per_epoch},
            {"batch_size", event.batch_size},
            {"training_samples", event.training_samples},
            {"views", event.views},
            {"processes", event.processes},
            {"blocks", std::move(blocks)},
        });
    }

    void operator()(const decision_taken& event) {
        const auto by_block = [&](const decision_scores& scores) {
            record_line line = record_line::array();
            for (std::size_t index = 0; index < event.blocks.size(); ++index) {
                const bool is_there = index < scores.size();
                line.push_back({{"block", event.blocks[index]},
                                {"score", is_there ? json_or_null(scores[index]) : record_line(nullptr)}});
            }
            return line;
        };
        record_line line{
            {"event", "decision"},
            {"epoch", event.epoch},
            {"step", event.step},
            {"scores", {{scorer_, by_block(event.scores)}}},
            {"learning_rate_sum", event.learning_rate_sum},
            {"learning_rate_left", event.learning_rate_left},
            {"steps", event.steps},
            {"train_loss", event.train_loss},
            {"wanted", event.wanted.leading()},
        };
        add_blocks(line, "wanted_behind", event.wanted.behind());
        for (const auto& other : event.other_scores)
            line["other_scores"][other.scorer] = by_block(other.scores);
        write(line);
    }

    void operator()(const frost_line_moved& event) {
        record_line line{
            {"event", "freeze"},        {"epoch", event.epoch},
            {"step", event.step},       {"frozen_before", event.frozen_before},
            {"frozen", event.frozen},   {"dropped_before", event.dropped_before},
            {"dropped", event.dropped}, {"reason", event.reason},
        };
        add_blocks(line, "frozen_behind", event.frozen_behind);
        if (!event.options.empty()) {
            auto& options = line["options"] = record_line::array();
            for (const auto& option : event.options)
                options.push_back({{"dropped", option.dropped},
                                   {"tiers", option.tiers},
                                   {"bytes", std::llround(option.bytes)},
                                   {"share", option.share},
                                   {"seconds", option.seconds}});
        }
        write(line);
    }

    void operator()(const plan_costs_known& event) {
        record_line tiers = record_line::array();
        for (std::size_t tier = 0; tier < event.tiers.size(); ++tier)
            tiers.push_back({{"name", event.tiers[tier].name},
                             {"budget", event.tiers[tier].budget},
                             {"read_ahead", event.tiers[tier].read_ahead},
                             {"write_bytes_per_second", event.costs.tiers[tier].write_bytes_per_second},
                             {"read_bytes_per_second", event.costs.tiers[tier].read_bytes_per_second}});
        write({
            {"event", "costs"},
            {"epoch", event.epoch},
            {"step", event.step},
            {"block_seconds", event.costs.block_seconds},
            {"row_bytes", event.row_bytes},
            {"tiers", std::move(tiers)},
            {"grows", event.grows},
        });
    }

    void operator()(const store_failed& event) {
        write({{"event", "store_failed"},
               {"epoch", event.epoch},
               {"step", event.step},
               {"reason", event.reason}});
    }

    void operator()(const epoch_finished& event) {
        record_line scores = record_line::array();
        for (const auto& score : event.scores) scores.push_back(json_or_null(score));
        record_line line{
            {"event", "epoch"},
            {"epoch", event.epoch},
            {"seconds", event.seconds},
            {"evaluation_seconds", event.evaluation_seconds},
            {"learning_rate", event.learning_rate},
            {"train_loss", event.train_loss},
            {"train_accuracy", event.train_accuracy},
            {"validation_accuracy", json_or_null(event.validation_accuracy)},
            {"test_accuracy", json_or_null(event.test_accuracy)},
            {"frozen", event.frozen},
            {"dropped", event.dropped},
            {"scores", std::move(scores)},
            {"forward_flops", event.forward_flops},
            {"backward_flops", event.backward_flops},
            {"store_bytes", event.store_bytes},
        };
        add_blocks(line, "frozen_behind", event.frozen_behind);
        write(line);
    }

    void operator()(const run_finished& event) {
        summary_ = summary_json(policy_, event, memory_.bytes());
        write(summary_);
    }

private:
    // Only policies that freeze more than leading blocks have any.
    static void add_blocks(record_line& line, const char* name, std::span<const std::size_t> blocks) {
        if (!blocks.empty()) line[name] = std::vector<std::size_t>(blocks.begin(), blocks.end());
    }

    struct owned_descriptor {
        int descriptor = -1;

        owned_descriptor() = default;
        owned_descriptor(owned_descriptor&& other) noexcept
            : descriptor(std::exchange(other.descriptor, -1)) {}
        owned_descriptor& operator=(owned_descriptor&& other) noexcept {
            std::swap(descriptor, other.descriptor);
            return *this;
        }
        ~owned_descriptor() {
            if (descriptor >= 0) ::close(descriptor);
        }
    };

    static constexpr std::string_view line_start = "{\"schema\":";

    [[noreturn]] static void fail(const std::filesystem::path& path, const std::string& reason) {
        throw data_error(sentence("cannot write the record ", path.string(), ": ", reason));
    }
    [[noreturn]] static void fail(const std::filesystem::path& path, int code) {
        fail(path, std::generic_category().message(code));
    }
    [[noreturn]] static void fail_to_open(const std::filesystem::path& path, int code) {
        const auto folder = folder_of(path);
        std::error_code ignored;
        if (code == ENOENT && !path.empty() && !std::filesystem::exists(folder, ignored))
            fail(path, "there is no folder " + folder.string());
        fail(path, code);
    }

    static std::filesystem::path folder_of(const std::filesystem::path& path) {
        return path.has_parent_path() ? path.parent_path() : ".";
    }

    static owned_descriptor open(const std::filesystem::path& path, int flags) {
        owned_descriptor file;
        file.descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | flags, 0666);
        if (file.descriptor < 0) fail_to_open(path, errno);
        if (file.descriptor > STDERR_FILENO) return file;
        // Where a standard stream is closed, what is meant for it would end up in the record.
        owned_descriptor moved;
        moved.descriptor = ::fcntl(file.descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (moved.descriptor < 0) fail(path, errno);
        return moved;
    }

    /// Nothing is cut from a file that was named by mistake.
    static void require_record(const std::filesystem::path& path, const owned_descriptor& file) {
        std::array<char, line_start.size()> start{};
        const auto count = ::pread(file.descriptor, start.data(), start.size(), 0);
        if (count < 0) fail(path, errno);
        if (!line_start.starts_with(std::string_view(start.data(), static_cast<std::size_t>(count))))
            fail(path, sentence("it is there and no record, which would start with ", line_start));
    }

    void append(const std::string& line) {
        const off_t before = ::lseek(file_.descriptor, 0, SEEK_END);
        for (std::size_t written = 0; written < line.size();) {
            const auto count = ::write(file_.descriptor, line.data() + written, line.size() - written);
            if (count >= 0) {
                written += static_cast<std::size_t>(count);
            } else if (errno != EINTR) {
                const int code = errno;
                // Fails on what is no regular file, where nothing can be taken back.
                [[maybe_unused]] const int result = ::ftruncate(file_.descriptor, before);
                fail(path_, code);
            }
        }
    }

    off_t end_of_lines(off_t end) const {
        for (char last = 0; end > 0; --end) {
            if (::pread(file_.descriptor, &last, 1, end - 1) != 1) fail(path_, errno);
            if (last == '\n') break;
        }
        return end;
    }

    std::filesystem::path path_;
    std::string policy_;
    std::string scorer_;
    owned_descriptor file_;
    record_line summary_;
    peak_memory_meter memory_;
};

static_assert(observer<record>);

}  // namespace frostline
