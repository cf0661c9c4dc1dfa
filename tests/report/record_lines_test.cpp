// SPDX-License-Identifier: MIT
#include "frostline/report/record_lines.hpp"

#include "report/finished_run.hpp"
#include "support/catch.hpp"

#include <optional>
#include <set>
#include <string>

namespace {

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("The environment names the versions, the core of the BLAS and the threads") {
    const auto environment = environment_json();
    CHECK(fields_of(environment) == std::set<std::string>{"versions", "blas_core", "threads"});
    CHECK(fields_of(environment["versions"]) ==
          std::set<std::string>{"frostline", "compiler", "xtensor", "openblas", "onetbb"});
    for (const auto& version : environment["versions"]) CHECK_FALSE(version.get<std::string>().empty());
    CHECK_THAT(environment["versions"]["openblas"].get<std::string>(), ContainsSubstring("OpenBLAS"));
    CHECK(environment["threads"] == threads());
}

TEST_CASE("A comparison divides the times and subtracts the accuracies") {
    const auto without = summary_json("never", finished_run(30, 0.90, 1000));
    const auto with = summary_json("learn_and_drop", finished_run(20, 0.89, 600));
    const auto line = comparison_json(without, with);
    CHECK(fields_of(line) == std::set<std::string>{"schema", "event", "without", "with", "time_ratio",
                                                   "accuracy_difference", "forward_flops_saved",
                                                   "training_flops_saved"});
    CHECK(line["without"] == "never");
    CHECK(line["with"] == "learn_and_drop");
    CHECK(line["time_ratio"] == 1.5);
    CHECK(line["accuracy_difference"].get<double>() == Catch::Approx(-1));
    CHECK(line["forward_flops_saved"] == 0.4);
    CHECK(line["training_flops_saved"] == with["training_flops_saved"]);

    const auto unknown = comparison_json(without, summary_json("x", finished_run(0, std::nullopt, 600)));
    CHECK(unknown["time_ratio"].is_null());
    CHECK(unknown["accuracy_difference"].is_null());
    CHECK_THROWS_AS(comparison_json(without, {{"event", "epoch"}}), data_error);
    CHECK_THROWS_WITH(comparison_json({{"event", "summary"}, {"policy", "never"}}, with),
                      "a summary line lacks the field seconds");
}

}  // namespace
