// SPDX-License-Identifier: MIT

#include "history.hpp"

#include "frostline/core/errors.hpp"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace {

using json = nlohmann::json;

std::optional<double> number(const json& line, const char* name) {
    const auto found = line.find(name);
    return found != line.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::optional<std::size_t> count(const json& value) {
    return value.is_number_unsigned() ? std::optional(value.get<std::size_t>()) : std::nullopt;
}

std::size_t count(const json& line, const char* name) {
    return line.contains(name) ? count(line[name]).value_or(0) : 0;
}

std::string machine_of(const json& line) {
    const std::size_t threads = count(line, "threads");
    std::string text = frostline::sentence(threads, threads == 1 ? " thread" : " threads");
    if (line.contains("blas_core") && line["blas_core"].is_string())
        text += ", OpenBLAS kernels for " + line["blas_core"].get<std::string>();
    if (line.contains("versions") && line["versions"].is_object())
        for (const auto& [name, version] : line["versions"].items())
            if (version.is_string()) text += ", " + name + ' ' + version.get<std::string>();
    return text;
}

run_history::epoch epoch_of(const json& line, const std::string& accuracy, std::size_t blocks) {
    run_history::epoch found{.accuracy = number(line, accuracy.c_str()),
                             .training_accuracy = number(line, "train_accuracy"),
                             .seconds = number(line, "seconds"),
                             .flops = std::nullopt,
                             .frozen = count(line, "frozen"),
                             .dropped = count(line, "dropped")};
    const auto forward = number(line, "forward_flops"), backward = number(line, "backward_flops");
    if (forward && backward) found.flops = *forward + *backward;
    if (line.contains("frozen_behind"))
        for (const auto& block : line["frozen_behind"])
            if (const auto index = count(block); index && *index < blocks)
                found.frozen_behind.push_back(*index);
    return found;
}

std::vector<std::optional<double>> scores_of(const json& scores, std::size_t blocks) {
    std::vector<std::optional<double>> found(blocks);
    for (const auto& score : scores)
        if (score.is_object() && count(score, "block") < blocks)
            found[count(score, "block")] = number(score, "score");
    return found;
}

}  // namespace

run_history read_history(const std::filesystem::path& record, const std::string& accuracy) {
    std::ifstream file(record);
    frostline::require<frostline::data_error>(file.is_open(), "cannot read the record ", record.string());
    run_history found;
    std::size_t steps_per_epoch = 0;
    std::map<std::size_t, std::vector<std::optional<double>>> scores;  // by epoch, from 0
    for (std::string text; std::getline(file, text);) {
        if (text.empty()) continue;
        const auto line = json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (!line.is_object() || !line.contains("event")) continue;
        if (line["event"] == "run") {
            found.machine = machine_of(line);
        } else if (line["event"] == "start") {
            frostline::require<frostline::data_error>(found.blocks == 0, "the record ", record.string(),
                                                      " holds more than one run");
            steps_per_epoch = count(line, "steps_per_epoch");
            if (line.contains("blocks") && line["blocks"].is_array()) found.blocks = line["blocks"].size();
        } else if (line["event"] == "epoch") {
            for (const char* name : {"frozen", "dropped"})
                frostline::require<frostline::data_error>(
                    line.contains(name) && count(line[name]).value_or(found.blocks + 1) <= found.blocks,
                    "the record ", record.string(), " has no number of blocks in the field ", name,
                    " of an epoch");
            found.epochs.push_back(epoch_of(line, accuracy, found.blocks));
        } else if (line["event"] == "decision" && line.contains("scores") && line["scores"].is_object() &&
                   !line["scores"].empty() && steps_per_epoch > 0 && count(line, "step") > 0) {
            const auto& by_scorer = line["scores"];
            found.scorer = by_scorer.begin().key();
            scores[(count(line, "step") - 1) / steps_per_epoch] = scores_of(*by_scorer.begin(), found.blocks);
        }
    }
    for (auto& [epoch, values] : scores)
        if (epoch < found.epochs.size()) found.epochs[epoch].scores = std::move(values);
    return found;
}
