// SPDX-License-Identifier: MIT

#include "matrix.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline_train/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <utility>

namespace {

using frostline::data_error;
using frostline::require;
using frostline::sentence;
using json = nlohmann::json;

// What frostline-reproduce sets, and what several cells cannot share.
const std::set<std::string> set_by_cell{
    "seed",   "record",       "compare", "save",   "checkpoint", "checkpoint-every",
    "resume", "resume-older", "summary", "verify", "plan-costs", "quiet",
    "help",   "list",         "version"};

// Methods that differ in these cannot be compared by FLOPs.
constexpr std::array of_workload{"epochs",      "model",      "data",       "data-dir",  "classes",
                                 "train-limit", "validation", "image-size", "test-limit"};

// As a shell reads it.
std::string quoted(const std::string& word) {
    const bool is_plain = std::all_of(word.begin(), word.end(), [](unsigned char letter) {
        return std::isalnum(letter) != 0 || std::strchr("_./:=,+-", letter) != nullptr;
    });
    if (is_plain && !word.empty()) return word;
    std::string text;
    for (const char letter : word) {
        if (letter == '\'') text += "'\\'";
        text += letter;
    }
    return sentence('\'', text, '\'');
}

class matrix_reader {
public:
    explicit matrix_reader(const std::filesystem::path& path) : path_(path) {}

    matrix read() const {
        std::ifstream file(path_);
        require<data_error>(file.is_open() && !std::filesystem::is_directory(path_),
                            "cannot read the matrix ", path_.string());
        const auto whole = json::parse(file, nullptr, /*allow_exceptions=*/false);
        need(whole.is_object(), "is no JSON object");
        only(whole, {"name", "accuracy", "train_less", "options", "workloads", "methods"});
        matrix found;
        found.name = text(whole, "name");
        found.accuracy = whole.contains("accuracy") ? text(whole, "accuracy") : "test_accuracy";
        need(found.accuracy == "test_accuracy" || found.accuracy == "validation_accuracy",
             "has the accuracy \"", found.accuracy, "\", expected test_accuracy or validation_accuracy");
        const bool train_less = flag(whole, "train_less", false);
        const auto common = options(whole, {});
        std::set<std::string> names;
        const auto named = [&](const json& entry) {
            auto name = text(entry, "name");
            need(std::none_of(name.begin(), name.end(),
                              [](unsigned char letter) { return std::iscntrl(letter) || letter == '|'; }),
                 "has a name with a control character or |, which tables cannot hold");
            need(names.insert(file_name(name)).second, "has two entries called ", name);
            return name;
        };
        for (const auto& entry : list(whole, "workloads")) {
            only(entry, {"name", "seeds", "options"});
            workload work{.name = named(entry), .seeds = {}, .epochs = 0, .methods = {}};
            for (const auto& seed : list(entry, "seeds")) {
                need(seed.is_number_unsigned(), "has a seed that is no whole number");
                need(std::find(work.seeds.begin(), work.seeds.end(), seed.get<std::uint64_t>()) ==
                         work.seeds.end(),
                     "has a seed twice: ", seed.dump());
                work.seeds.push_back(seed);
            }
            const auto own = options(entry, common);
            work.epochs = epochs_of(work.name, own);
            for (const auto& how : list(whole, "methods"))
                if (is_for(how, own))
                    work.methods.push_back({.name = text(how, "name"),
                                            .options = options(how, own),
                                            .train_less = flag(how, "train_less", train_less)});
            check_options(work, found.accuracy);
            check_schedule(work);
            found.workloads.push_back(std::move(work));
        }
        for (const auto& entry : list(whole, "methods")) {
            only(entry, {"name", "options", "data", "train_less"});
            found.methods.push_back(named(entry));
            const auto own = options(entry, {});
            need(own.contains("policy"), "has a method without the option policy: ", found.methods.back());
            try {
                frostline::named_policy(own.at("policy"));
            } catch (const frostline::argument_error& problem) {
                need(false, "has the method ", found.methods.back(), ", but ", problem.what());
            }
            need(!is_shortened(found.methods.back(), found.methods.front()), "has the method ",
                 found.methods.back(), ", but that is ", found.methods.front(), " in fewer epochs");
            for (const char* name : of_workload)
                need(!own.contains(name), "has a method with the option ", name,
                     " of its own, which is the workload's");
        }
        const auto& first = whole["methods"].front();
        need(
            options(first, {}).at("policy") == "never" && !first.contains("data"),
            "has another first method than the policy never on all data, which the others are compared with");
        return found;
    }

    // Whether cell_of gives a method in fewer epochs this name.
    static bool is_shortened(const std::string& name, const std::string& method) {
        return std::regex_match(file_name(name), std::regex(file_name(method) + "-[0-9]+-epochs"));
    }

    static std::string file_name(std::string name) {
        for (char& letter : name)
            if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '-';
        return name;
    }

private:
    template <class... Parts>
    void need(bool condition, const Parts&... parts) const {
        require<data_error>(condition, "the matrix ", path_.string(), " ", parts...);
    }

    void only(const json& entry, const std::set<std::string>& known) const {
        need(entry.is_object(), "has an entry that is no object");
        for (const auto& [key, value] : entry.items())
            need(known.contains(key), "has an unknown field ", key);
    }

    std::string text(const json& entry, const char* name) const {
        need(entry.contains(name) && entry[name].is_string() && !entry[name].get<std::string>().empty(),
             "has no text in the field ", name);
        return entry[name];
    }

    const json& list(const json& entry, const char* name) const {
        need(entry.contains(name) && entry[name].is_array() && !entry[name].empty(),
             "has no list in the field ", name);
        return entry[name];
    }

    bool flag(const json& entry, const char* name, bool otherwise) const {
        if (!entry.contains(name)) return otherwise;
        need(entry[name].is_boolean(), "has no true or false in the field ", name);
        return entry[name];
    }

    // Whether a method is meant for the data set of a workload with these options: it is if it names none.
    bool is_for(const json& how, const train_options& work) const {
        need(how.is_object(), "has an entry that is no object");
        if (!how.contains("data")) return true;
        const auto found = work.find("data");
        const std::string data = found == work.end() ? settings{}.data : found->second;
        bool is_named = false;
        for (const auto& set : list(how, "data")) {
            need(set.is_string(), "has a data set that is no text in the field data");
            is_named = is_named || set == data;
        }
        return is_named;
    }

    // The common options and those of an entry, which take their place.
    train_options options(const json& entry, train_options found) const {
        if (!entry.contains("options")) return found;
        need(entry["options"].is_object(), "has no object in a field options");
        for (const auto& [key, value] : entry["options"].items()) {
            need(!set_by_cell.contains(key), "has the option ", key, ", which is set for each cell");
            need(std::all_of(key.begin(), key.end(),
                             [](char letter) { return letter == '-' || (letter >= 'a' && letter <= 'z'); }),
                 "has the option \"", key, "\", which is no name of one");
            need(value.is_string() || value.is_number() || value == json(true), "has the option ", key,
                 " with neither text nor a number nor true");
            need(value != json(""), "has the option ", key, " with an empty text");
            found[key] = value.is_string() ? value.get<std::string>() : value.is_number() ? value.dump() : "";
        }
        return found;
    }

    void check_options(const workload& work, const std::string& accuracy) const {
        for (const auto& how : work.methods) {
            const auto found = how.options.find("validation");
            const bool is_held_out =
                found != how.options.end() && found->second.find_first_not_of("0.") != std::string::npos;
            need(!how.options.contains("views") || whole_number(how.options, "views"),
                 "has no whole number in the option views for ", how.name, " of ", work.name);
            need(accuracy != "validation_accuracy" || is_held_out,
                 "has the accuracy validation_accuracy, but no option validation for ", how.name, " of ",
                 work.name);
        }
    }

    // Fewer epochs of `never` are to have the same schedule, compressed.
    void check_schedule(const workload& work) const {
        const bool compared = std::any_of(work.methods.begin(), work.methods.end(),
                                          [](const auto& how) { return how.train_less; });
        if (!compared) return;
        const auto found = work.methods.front().options.find("schedule");
        if (found == work.methods.front().options.end()) return;
        const auto& schedule = found->second;
        need(schedule.find("step") != 0 && schedule.find("warm_up") == std::string::npos, "has the schedule ",
             schedule,
             ", which counts in epochs, where train_less compresses it; expected one that counts in shares "
             "of the run");
    }

    static std::optional<std::size_t> whole_number(const train_options& options, const char* name) {
        const auto found = options.find(name);
        const bool is_whole = found != options.end() && !found->second.empty() && found->second.size() < 10 &&
                              found->second.find_first_not_of("0123456789") == std::string::npos;
        return is_whole ? std::optional<std::size_t>(std::stoul(found->second)) : std::nullopt;
    }

    std::size_t epochs_of(const std::string& work, const train_options& options) const {
        const std::size_t epochs = whole_number(options, "epochs").value_or(0);
        need(epochs > 0 && epochs <= 1000000, "has the workload ", work,
             " without a whole number of epochs from 1 to 1000000");
        return epochs;
    }

    std::filesystem::path path_;
};

}  // namespace

matrix read_matrix(const std::filesystem::path& path) { return matrix_reader(path).read(); }

cell cell_of(const workload& work, const method& how, std::uint64_t seed, std::size_t epochs) {
    cell found{.record = {}, .options = how.options, .epochs = epochs};
    found.options["seed"] = std::to_string(seed);
    found.options["epochs"] = std::to_string(epochs);
    std::string name = matrix_reader::file_name(how.name);
    if (epochs != work.epochs) name += sentence("-", epochs, "-epochs");
    found.record = sentence(matrix_reader::file_name(work.name), "/", name, "-seed-", seed, ".jsonl");
    return found;
}

std::string command_of(const cell& what) {
    std::string command = "frostline-train";
    for (const auto& [key, value] : what.options)
        command += value.empty() ? sentence(" --", key) : sentence(" --", key, ' ', quoted(value));
    return command;
}

std::string command_of(const cell& what, const cell_result& result) {
    // ./ in front, or it would be read as an option.
    const auto path = what.record.starts_with('-') ? "./" + what.record : what.record;
    return command_of(what) + (result.has_costs ? " --plan-costs " + path : "");
}

std::optional<cell_result> read_result(const std::filesystem::path& record, const std::string& accuracy) {
    std::ifstream file(record);
    json epoch, summary;
    std::string machine, policy_options;
    bool has_costs = false;
    const auto is_told = [&](const json& line, const char* name, auto type) {
        const bool is_one = line.contains(name) && (line[name].*type)();
        require<data_error>(is_one || !line.contains(name), "the record ", record.string(),
                            " has another type of value than expected in the field ", name);
        return is_one;
    };
    std::size_t epochs = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty()) continue;
        auto parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
        if (!parsed.is_object() || !parsed.contains("event")) return std::nullopt;
        has_costs = has_costs || parsed["event"] == "costs";
        if (parsed["event"] == "run") {
            const bool has_threads = is_told(parsed, "threads", &json::is_number_unsigned);
            const bool has_core = is_told(parsed, "blas_core", &json::is_string);
            const std::size_t threads = has_threads ? parsed["threads"].get<std::size_t>() : 0;
            machine = sentence(threads, threads == 1 ? " thread, " : " threads, ",
                               has_core ? parsed["blas_core"].get<std::string>() : "");
            if (parsed.contains("policy_options")) policy_options = parsed["policy_options"].dump();
        } else if (parsed["event"] == "epoch") {
            ++epochs;
            epoch = std::move(parsed);
        } else if (parsed["event"] == "summary")
            summary = std::move(parsed);
    }
    if (summary.is_null() || !is_told(summary, "stopped", &json::is_boolean) || summary["stopped"] ||
        !epoch.is_object())
        return std::nullopt;
    require<data_error>(!is_told(summary, "epochs", &json::is_number_unsigned) || summary["epochs"] == epochs,
                        "the record ", record.string(), " holds ", epochs, " of the epochs of its summary, ",
                        summary.value("epochs", std::size_t{0}));
    require<data_error>(epoch.contains(accuracy) && epoch[accuracy].is_number() && epoch[accuracy] >= 0.0 &&
                            epoch[accuracy] <= 1.0,
                        "the record ", record.string(), " has no ", accuracy);
    const auto number = [&](const char* name, bool may_be_zero = true) {
        const double found = summary.contains(name) && summary[name].is_number() ? double(summary[name]) : -1;
        require<data_error>(may_be_zero ? found >= 0 : found > 0, "the summary in the record ",
                            record.string(), " has no ", may_be_zero ? "" : "positive ",
                            "number in the field ", name);
        return found;
    };
    cell_result result{.accuracy = epoch[accuracy], .seconds = number("seconds", false)};
    result.has_costs = has_costs;
    result.policy_options = std::move(policy_options);
    result.machine = std::move(machine);
    result.evaluation_seconds = number("evaluation_seconds");
    result.forward_flops = number("forward_flops");
    result.forward_flops_full = number("forward_flops_full", false);
    result.scoring_flops = number("scoring_flops");
    result.training_flops = result.forward_flops + number("backward_flops");
    result.training_flops_full = result.forward_flops_full + number("backward_flops_full");
    return result;
}
