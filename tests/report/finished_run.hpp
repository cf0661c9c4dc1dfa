// SPDX-License-Identifier: MIT
// A run's end made by hand, and which fields a line of a record has.
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/report/record_lines.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace frostline {

inline std::set<std::string> fields_of(const record_line& line) {
    std::set<std::string> names;
    for (const auto& item : line.items()) names.insert(item.key());
    return names;
}

inline run_finished finished_run(double seconds, std::optional<double> accuracy, std::uint64_t forward) {
    run_finished end;
    end.epochs = 3;
    end.test_accuracy = accuracy;
    end.seconds = seconds;
    end.evaluation_seconds = 2;
    end.scoring_flops = 7;
    end.forward_flops = forward;
    end.forward_flops_full = 1000;
    end.backward_flops = 1000;
    end.backward_flops_full = 2000;
    return end;
}

}  // namespace frostline
