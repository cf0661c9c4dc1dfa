// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/openblas.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/version.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

/// One line of a record; its fields keep their order.
using record_line = nlohmann::ordered_json;

/// The version of the format: every line carries it as `schema`. It rises when a field changes its meaning or
/// goes; readers pass over events and fields that they do not know.
inline constexpr int record_schema = 1;

/// What a result depends on besides its settings: `versions` (frostline, compiler, xtensor, openblas with its
/// build configuration, onetbb), `blas_core` (the instruction set that OpenBLAS runs with, which
/// OPENBLAS_CORETYPE in the environment may hold down) and `threads`.
inline record_line environment_json() {
#if defined(__clang__)
    const std::string compiler = __VERSION__;
#else
    const std::string compiler = "g++ " __VERSION__;
#endif
    return {
        {"versions",
         {{"frostline", std::string(version_string)},
          {"compiler", compiler},
          {"xtensor",
           sentence(XTENSOR_VERSION_MAJOR, ".", XTENSOR_VERSION_MINOR, ".", XTENSOR_VERSION_PATCH)},
          {"openblas", ::openblas_get_config()},
          {"onetbb", ::TBB_runtime_version()}}},
        {"blas_core", ::openblas_get_corename()},
        {"threads", threads()},
    };
}

/// The value, or null where there is none.
template <class T>
record_line json_or_null(const std::optional<T>& value) {
    return value ? record_line(*value) : record_line(nullptr);
}

/// The `summary` line of a run. Accuracies and saved parts are shares, times are seconds; null: not measured.
inline record_line summary_json(const std::string& policy, const run_finished& run,
                                std::optional<std::uint64_t> peak_memory = std::nullopt) {
    return {
        {"schema", record_schema},
        {"event", "summary"},
        {"policy", policy},
        {"epochs", run.epochs},
        {"stopped", run.stopped},
        {"test_accuracy", json_or_null(run.test_accuracy)},
        {"seconds", run.seconds},
        {"evaluation_seconds", run.evaluation_seconds},
        {"scoring_flops", run.scoring_flops},
        {"forward_flops", run.forward_flops},
        {"forward_flops_full", run.forward_flops_full},
        {"forward_flops_saved", run.forward_flops_saved()},
        {"backward_flops", run.backward_flops},
        {"backward_flops_full", run.backward_flops_full},
        {"training_flops_saved", run.training_flops_saved()},
        {"peak_memory_bytes", json_or_null(peak_memory)},
    };
}

/// The `comparison` line of two `summary` lines, of a run `without` freezing and of one `with` it:
/// `time_ratio` is seconds without / seconds with (above 1: freezing was faster), `accuracy_difference` is
/// test accuracy with - without in percentage points (below 0: freezing cost accuracy). Null where one of the
/// runs has no such number.
/// @throws data_error if a line is no summary or lacks a field
inline record_line comparison_json(const record_line& without, const record_line& with) {
    for (const auto* summary : {&without, &with}) {
        require<data_error>(
            summary->is_object() && summary->contains("event") && (*summary)["event"] == "summary",
            "a comparison needs two lines of event summary, found ",
            summary->dump(-1, ' ', true, record_line::error_handler_t::replace).substr(0, 80));
        for (const char* name :
             {"policy", "seconds", "test_accuracy", "forward_flops_saved", "training_flops_saved"})
            require<data_error>(summary->contains(name), "a summary line lacks the field ", name);
    }
    const auto number = [](const record_line& summary, const char* name) -> std::optional<double> {
        return summary[name].is_number() ? std::optional(summary[name].get<double>()) : std::nullopt;
    };
    std::optional<double> time_ratio, accuracy_difference;
    const auto seconds_without = number(without, "seconds"), seconds_with = number(with, "seconds");
    if (seconds_without && seconds_with && *seconds_with > 0) time_ratio = *seconds_without / *seconds_with;
    const auto accuracy_without = number(without, "test_accuracy"),
               accuracy_with = number(with, "test_accuracy");
    if (accuracy_without && accuracy_with) accuracy_difference = 100 * (*accuracy_with - *accuracy_without);
    return {
        {"schema", record_schema},
        {"event", "comparison"},
        {"without", without["policy"]},
        {"with", with["policy"]},
        {"time_ratio", json_or_null(time_ratio)},
        {"accuracy_difference", json_or_null(accuracy_difference)},
        {"forward_flops_saved", with["forward_flops_saved"]},
        {"training_flops_saved", with["training_flops_saved"]},
    };
}

}  // namespace frostline
