// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/features/checksum.hpp"
#include "frostline/io/arena_arrays.hpp"
#include "frostline/io/safetensors_file.hpp"
#include "frostline/io/safetensors_writer.hpp"
#include "frostline/io/state_reader.hpp"
#include "frostline/io/state_writer.hpp"
#include "frostline/io/weights.hpp"
#include "frostline/io/whole_file.hpp"
#include "frostline/train/run_identity.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A checkpoint: all that a run needs to go on, in one safetensors file.
///
/// | in the file | |
/// |---|---|
/// | parameters and running statistics | as save_weights writes them |
/// | `frostline.optimiser.<state>.<parameter>` | of the optimiser, for each parameter |
/// | `frostline.state.<name>` | of the run: where it is, what it has counted, the history of decisions, ... |
/// | `__metadata__` | what has to be the same where a run goes on from it |
/// | `frostline.checksum`, the last 8 bytes | of all bytes before |
class checkpoint_file {
public:
    /// Reads and verifies a file. @throws data_error unless it is whole and as it was written
    explicit checkpoint_file(const std::filesystem::path& path)
        : checkpoint_file(read_whole_file(path), path.string()) {}

    /// A file that is in memory already; `name` stands for it in messages. @throws data_error
    checkpoint_file(aligned_vector<std::byte> bytes, std::string name)
        : file_(verified(std::move(bytes), name), name) {}

    const std::string& name() const { return file_.name(); }
    std::span<const std::byte> bytes() const { return file_.bytes(); }

    /// Writes the state of a run. The file is there whole, or not at all: see replace_file.
    /// @param state  calls its argument with the name and value of each part of the run's state
    /// @throws data_error when it cannot be written
    template <class Network, class Optimiser, class State>
    static void write(const std::filesystem::path& path, Network& network, Optimiser& optimiser,
                      const run_identity& identity, const State& state) {
        using T = typename Network::value_type;
        safetensors_writer file;
        file.set_metadata(format_key, format);
        for (const auto& [key, value] : identity) file.set_metadata(key, value);
        add_weights(file, network);
        optimiser.for_each_state([&](const auto& name, std::span<T> values) {
            add_arena<T>(file, network, optimiser_prefix(name), values);
        });
        state_writer visit(file, state_prefix);
        state(visit);
        file.add<std::uint8_t>(checksum_name, {checksum_bytes});
        auto bytes = file.bytes();
        const std::uint64_t sum = checksum_of(bytes.data(), bytes.size() - checksum_bytes);
        std::memcpy(bytes.data() + bytes.size() - checksum_bytes, &sum, checksum_bytes);
        replace_file(path, std::array{std::span<const std::byte>(bytes)});
    }

    /// Sets network, optimiser and the state of a run to what was written.
    /// @throws data_error unless it is of this network and of a run of this identity, and nothing is changed
    /// then; or where the rest of the state does not fit, when the network has the weights of the file
    /// already
    template <class Network, class Optimiser, class State>
    void load(Network& network, Optimiser& optimiser, const run_identity& identity,
              const State& state) const {
        using T = typename Network::value_type;
        for (const auto& [key, value] : identity) require_same(key, value);
        require_fit(compare_weights(network, file_));
        [[maybe_unused]] const auto report = load_weights(network, file_);
        try {
            optimiser.for_each_state([&](const auto& name, std::span<T> values) {
                load_arena<T>(file_, network, optimiser_prefix(name), values);
            });
            state_reader visit(file_, state_prefix);
            state(visit);
        } catch (const error& problem) {
            throw data_error(sentence(name(), ": no run can go on from it: ", problem.what()));
        }
    }

private:
    static constexpr std::size_t checksum_bytes = sizeof(std::uint64_t);
    static constexpr const char* checksum_name = "frostline.checksum";
    static constexpr const char* format_key = "format of the checkpoint";
    static constexpr const char* format = "1";
    static constexpr const char* state_prefix = "frostline.state.";

    static std::string optimiser_prefix(const std::string& state) {
        return "frostline.optimiser." + state + ".";
    }

    // Before anything else is looked at.
    static aligned_vector<std::byte> verified(aligned_vector<std::byte> bytes, const std::string& name) {
        std::uint64_t sum = 0;
        const bool holds_sum = bytes.size() > checksum_bytes;
        const std::size_t size = holds_sum ? bytes.size() - checksum_bytes : 0;
        if (holds_sum) std::memcpy(&sum, bytes.data() + size, checksum_bytes);
        require<data_error>(holds_sum && sum == checksum_of(bytes.data(), size), name,
                            ": is damaged, cut off or no checkpoint: its last ", checksum_bytes,
                            " bytes are not the checksum of the ", size, " before");
        return bytes;
    }

    void require_same(const std::string& key, const std::string& value) const {
        const auto found = file_.metadata().find(key);
        require<data_error>(found != file_.metadata().end(), name(), ": does not tell the ", key,
                            ", expected ", value);
        require<data_error>(found->second == value, name(), ": the ", key, " of its run is ", found->second,
                            ", but of this run ", value);
    }

    void require_fit(const weights_report& report) const {
        require<data_error>(report.missing.empty(), name(), ": its network has no ",
                            report.missing.empty() ? "" : report.missing.front(), ", but this one has");
        require<data_error>(report.unexpected.empty(), name(), ": its network has ",
                            report.unexpected.empty() ? "" : report.unexpected.front(),
                            ", but this one has not");
        if (report.mismatched.empty()) return;
        const auto& [array, found, expected] = report.mismatched.front();
        throw data_error(sentence(name(), ": the shape of ", array, " is ", shape_text(found),
                                  " in its network, but ", shape_text(expected), " in this one"));
    }

    safetensors_file file_;
};

}  // namespace frostline
