// SPDX-License-Identifier: MIT
#include "frostline/report/record.hpp"

#include "frostline/report/recorded_run.hpp"
#include "report/finished_run.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace frostline;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

void put(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

std::vector<record_line> lines_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<record_line> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(record_line::parse(line));
        CHECK(lines.back()["schema"] == 1);
    }
    return lines;
}

TEST_CASE("A record holds each event of a run as one line with exactly its fields") {
    const temporary_folder folder;
    record log(folder / "run.jsonl", "learn_and_drop", "weight_change");
    log.write({{"event", "run"}, {"batch_size", 64}, {"environment", environment_json()}});
    log(run_started{.epochs = 3,
                    .steps_per_epoch = 20,
                    .batch_size = 64,
                    .training_samples = 1280,
                    .costs = {{10, 20, 400, 9, 4}}});
    log(decision_taken{.epoch = 1,
                       .step = 20,
                       .blocks = {0, 2, 5},
                       .scores = {0.25, std::nullopt, 1.5},
                       .learning_rate_sum = 0.5,
                       .learning_rate_left = 2.0,
                       .steps = 20,
                       .wanted = 1,
                       .train_loss = 0.5});
    log(frost_line_moved{.epoch = 1,
                         .step = 20,
                         .frozen_before = 0,
                         .frozen = 2,
                         .dropped_before = 0,
                         .dropped = 1,
                         .reason = "the policy wanted 1"});
    epoch_finished epoch{.epoch = 1,
                         .seconds = 1.5,
                         .evaluation_seconds = 0.5,
                         .learning_rate = 0.1,
                         .train_loss = 2.25,
                         .train_accuracy = 0.75,
                         .validation_accuracy = std::nullopt,
                         .test_accuracy = 0.5,
                         .frozen = 2,
                         .dropped = 1,
                         .scores = {std::nullopt, 0.5},
                         .forward_flops = 12345678901234567890u,
                         .backward_flops = 5,
                         .store_bytes = 4096};
    log(epoch);
    log(finished_run(10, 0.5, 250));

    const auto lines = lines_of(folder / "run.jsonl");
    REQUIRE(lines.size() == 6);
    CHECK_THAT(text_of(folder / "run.jsonl"),
               StartsWith(R"({"schema":1,"event":"run","batch_size":64,"environment":{)"));

    CHECK(lines[1].dump() ==
          R"({"schema":1,"event":"start","epochs":3,"steps_per_epoch":20,"batch_size":64,)"
          R"("training_samples":1280,"views":1,"processes":1,"blocks":[{"forward_flops":10,)"
          R"("backward_flops":20,)"
          R"("backward_input_flops":9,"backward_inner_flops":4,"output_bytes":400}]})");
    CHECK(lines[2].dump() ==
          R"({"schema":1,"event":"decision","epoch":1,"step":20,"scores":{"weight_change":[)"
          R"({"block":0,"score":0.25},{"block":2,"score":null},{"block":5,"score":1.5}]},)"
          R"("learning_rate_sum":0.5,"learning_rate_left":2.0,"steps":20,"train_loss":0.5,"wanted":1})");
    CHECK(lines[3].dump() ==
          R"({"schema":1,"event":"freeze","epoch":1,"step":20,"frozen_before":0,"frozen":2,)"
          R"("dropped_before":0,"dropped":1,"reason":"the policy wanted 1"})");
    CHECK(lines[4].dump() ==
          R"({"schema":1,"event":"epoch","epoch":1,"seconds":1.5,"evaluation_seconds":0.5,)"
          R"("learning_rate":0.1,"train_loss":2.25,"train_accuracy":0.75,)"
          R"("validation_accuracy":null,"test_accuracy":0.5,"frozen":2,"dropped":1,)"
          R"("scores":[null,0.5],"forward_flops":12345678901234567890,"backward_flops":5,)"
          R"("store_bytes":4096})");
    CHECK(fields_of(lines[5]) ==
          std::set<std::string>{"schema", "event", "policy", "epochs", "stopped", "test_accuracy", "seconds",
                                "evaluation_seconds", "scoring_flops", "forward_flops", "forward_flops_full",
                                "forward_flops_saved", "backward_flops", "backward_flops_full",
                                "training_flops_saved", "peak_memory_bytes"});
    CHECK(lines[5]["event"] == "summary");
    CHECK(lines[5]["policy"] == "learn_and_drop");
    CHECK(lines[5]["stopped"] == false);
    CHECK(lines[5]["forward_flops_saved"] == 0.75);
    CHECK(lines[5]["training_flops_saved"].get<double>() == Catch::Approx(1 - 1250.0 / 3000));
    CHECK(lines[5] == log.summary());
}

TEST_CASE("A record names the blocks that are frozen behind learning ones, where there are any") {
    const temporary_folder folder;
    record log(folder / "run.jsonl", "grades", "gradient_delta");
    log(decision_taken{.wanted = frozen_blocks(1).insert(3)});
    log(frost_line_moved{.frozen = 2, .frozen_behind = {4, 5}});
    log(epoch_finished{.frozen = 2, .frozen_behind = {4, 5}});
    const auto lines = lines_of(folder / "run.jsonl");
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["wanted"] == 1);
    CHECK(lines[0]["wanted_behind"] == std::vector<std::size_t>{3});
    for (const std::size_t line : {1u, 2u}) {
        CHECK(lines[line]["frozen"] == 2);
        CHECK(lines[line]["frozen_behind"] == std::vector<std::size_t>{4, 5});
    }
}

TEST_CASE("A record holds what the plan reckoned with and considered, and that the store lost rows") {
    const temporary_folder folder;
    record log(folder / "run.jsonl", "never", "none");
    const plan_costs_known known{
        .epoch = 2,
        .step = 40,
        .costs = {.block_seconds = {0.1, 1e-7 / 3}, .tiers = {{1e9, 2e9}, {3e8, 4e8}}},
        .tiers = {{"memory", 1000, false}, {"disk", 5000, true}},
        .row_bytes = {512, 128},
        .grows = true};
    log(known);
    log(frost_line_moved{
        .options = {{.seconds = 1.5},
                    {.dropped = 2, .tiers = 1, .bytes = 640, .share = 0.5, .seconds = 0.25}}});
    log(store_failed{.epoch = 3, .step = 50, .reason = "it is full"});
    const auto lines = lines_of(folder / "run.jsonl");
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].dump() ==
          R"({"schema":1,"event":"costs","epoch":2,"step":40,"block_seconds":[0.1,3.3333333333333334e-08],)"
          R"("row_bytes":[512,128],"tiers":[{"name":"memory","budget":1000,"read_ahead":false,)"
          R"("write_bytes_per_second":1000000000.0,"read_bytes_per_second":2000000000.0},)"
          R"({"name":"disk","budget":5000,"read_ahead":true,"write_bytes_per_second":300000000.0,)"
          R"("read_bytes_per_second":400000000.0}],"grows":true})");
    CHECK(lines[1]["options"].dump() == R"([{"dropped":0,"tiers":0,"bytes":0,"share":0.0,"seconds":1.5},)"
                                        R"({"dropped":2,"tiers":1,"bytes":640,"share":0.5,"seconds":0.25}])");
    CHECK(lines[2].dump() ==
          R"({"schema":1,"event":"store_failed","epoch":3,"step":50,"reason":"it is full"})");

    // To the bit, so that a plan with them decides alike.
    const auto costs = record_reader(folder / "run.jsonl").read_costs();
    CHECK(costs.block_seconds == known.costs.block_seconds);
    REQUIRE(costs.tiers.size() == 2);
    CHECK(costs.tiers[1].write_bytes_per_second == 3e8);
    CHECK(costs.tiers[1].read_bytes_per_second == 4e8);
}

TEST_CASE("A record without costs is refused as a source of costs") {
    const temporary_folder folder;
    record(folder / "run.jsonl", "never", "none").write({{"event", "run"}});
    CHECK_THROWS_WITH(record_reader(folder / "run.jsonl").read_costs(),
                      ContainsSubstring("no line of event costs"));
    CHECK_THROWS_AS(record_reader("/no/such/file").read_costs(), data_error);
}

TEST_CASE("Every line is in the file as soon as it is written") {
    const temporary_folder folder;
    record log(folder / "run.jsonl", "never", "none");
    for (std::size_t count = 1; count <= 3; ++count) {
        log(epoch_finished{});
        CHECK(lines_of(folder / "run.jsonl").size() == count);
    }
}

TEST_CASE("Numbers that are not finite and text that is no UTF-8 still give lines that parse") {
    const temporary_folder folder;
    record log(folder / "run.jsonl", "never", "none");
    epoch_finished epoch;
    epoch.train_loss = std::numeric_limits<double>::quiet_NaN();
    epoch.scores = {std::numeric_limits<double>::infinity()};
    log(epoch);
    frost_line_moved moved;
    moved.reason = "two\nlines and \xff";
    log(moved);
    const auto lines = lines_of(folder / "run.jsonl");
    REQUIRE(lines.size() == 2);
    CHECK(lines[0]["train_loss"].is_null());
    CHECK(lines[0]["scores"][0].is_null());
    CHECK_THAT(lines[1]["reason"].get<std::string>(), StartsWith("two\nlines and "));
}

TEST_CASE("A record replaces a file, or appends the next run to it") {
    const temporary_folder folder;
    put(folder / "run.jsonl", "{\"schema\":1,\"event\":\"run\"}\n");
    record first(folder / "run.jsonl", "never", "none");
    first(finished_run(30, 0.9, 1000));
    record second(folder / "run.jsonl", "learn_and_drop", "weight_change", existing_record::append);
    second(finished_run(20, 0.89, 600));
    second.write(comparison_json(first.summary(), second.summary()));
    const auto lines = lines_of(folder / "run.jsonl");
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["policy"] == "never");
    CHECK(lines[1]["policy"] == "learn_and_drop");
    CHECK(lines[2]["event"] == "comparison");
}

TEST_CASE("Appending drops the last line that a crash has left incomplete") {
    const temporary_folder folder;
    for (const std::string whole : {"", "{\"schema\":1,\"event\":\"run\"}\n"}) {
        put(folder / "run.jsonl", whole + R"({"schema":1,"ev)");
        record log(folder / "run.jsonl", "never", "none", existing_record::append);
        CHECK(text_of(folder / "run.jsonl") == whole);
        log.write({{"event", "resumed"}});
        CHECK(text_of(folder / "run.jsonl") == whole + "{\"schema\":1,\"event\":\"resumed\"}\n");
    }
}

TEST_CASE("A record that goes on from a checkpoint takes back the lines behind it, and starts no run anew") {
    const temporary_folder folder;
    double bytes = 0;
    {
        record first(folder / "run.jsonl", "never", "scorer");
        first.write({{"event", "before"}});
        first.for_each_state([&](const char*, std::vector<double>& state) { bytes = state.at(0); });
        first.write({{"event", "behind"}});
    }
    CHECK(lines_of(folder / "run.jsonl").size() == 2);
    const auto set = [&](const char*, std::vector<double>& state) { state = {bytes}; };
    record again(folder / "run.jsonl", "never", "scorer", existing_record::append);
    again.for_each_state(set);
    again(run_started{.step = 5});
    CHECK(text_of(folder / "run.jsonl") == "{\"schema\":1,\"event\":\"before\"}\n");
    again(run_started{});
    CHECK(lines_of(folder / "run.jsonl").size() == 2);

    put(folder / "run.jsonl", "{\"schema\":1}\n");
    record shorter(folder / "run.jsonl", "never", "scorer", existing_record::append);
    CHECK_THROWS_WITH(shorter.for_each_state(set), ContainsSubstring("has 13 bytes, but had 30 when"));
}

TEST_CASE("A record refuses a file that is no record and leaves it alone") {
    const temporary_folder folder;
    put(folder / "notes", "not to be lost");
    const std::string message = "cannot write the record " + (folder / "notes").string() +
                                ": it is there and no record, which would start with {\"schema\":";
    for (const auto existing : {existing_record::append, existing_record::replace})
        CHECK_THROWS_WITH(record(folder / "notes", "never", "none", existing), message);
    CHECK_THROWS_WITH(record::check(folder / "notes"), message);
    CHECK(text_of(folder / "notes") == "not to be lost");
}

TEST_CASE("A check of a record refuses what opening it would refuse, and changes nothing") {
    const temporary_folder folder;
    CHECK_NOTHROW(record::check(folder / "run.jsonl"));
    CHECK_FALSE(std::filesystem::exists(folder / "run.jsonl"));
    const std::string torn = "{\"schema\":1,\"event\":\"run\"}\n{\"sch";
    put(folder / "run.jsonl", torn);
    CHECK_NOTHROW(record::check(folder / "run.jsonl"));
    CHECK(text_of(folder / "run.jsonl") == torn);
    CHECK_NOTHROW(record::check("/dev/null"));
    CHECK_THROWS_WITH(record::check(folder / "missing" / "run.jsonl"),
                      ContainsSubstring("there is no folder " + (folder / "missing").string()));
    CHECK_THROWS_WITH(record::check(folder / "."), ContainsSubstring("Is a directory"));
    CHECK_THROWS_WITH(record::check(folder / "run.jsonl" / "run.jsonl"),
                      ContainsSubstring("Not a directory"));
    CHECK_THROWS_WITH(record::check(""), StartsWith("cannot write the record"));
}

TEST_CASE("A record takes no descriptor of a closed standard stream") {
    const temporary_folder folder;
    const int input = ::dup(STDIN_FILENO);
    if (input < 0) return;
    ::close(STDIN_FILENO);
    record log(folder / "run.jsonl", "never", "none");
    const bool is_closed = ::lseek(STDIN_FILENO, 0, SEEK_CUR) < 0 && errno == EBADF;
    ::dup2(input, STDIN_FILENO);
    ::close(input);
    CHECK(is_closed);
    log(epoch_finished{});
    CHECK(lines_of(folder / "run.jsonl").size() == 1);
}

TEST_CASE("A record that cannot be opened says why and creates nothing") {
    const temporary_folder folder;
    const auto missing = folder / "missing";
    CHECK_THROWS_AS(record(missing / "run.jsonl", "never", "none"), data_error);
    CHECK_THROWS_WITH(record(missing / "run.jsonl", "never", "none"),
                      "cannot write the record " + (missing / "run.jsonl").string() +
                          ": there is no folder " + missing.string());
    CHECK_FALSE(std::filesystem::exists(missing));
    CHECK_THROWS_WITH(record(folder / ".", "never", "none"),
                      "cannot write the record " + (folder / ".").string() + ": Is a directory");
    CHECK_THROWS_WITH(record("", "never", "none"), StartsWith("cannot write the record"));
    std::filesystem::create_symlink(missing / "run.jsonl", folder / "link");
    CHECK_THROWS_WITH(
        record(folder / "link", "never", "none"),
        "cannot write the record " + (folder / "link").string() + ": No such file or directory");
}

TEST_CASE("A full disk ends the record with a sentence at the first line that does not fit") {
    if (!std::filesystem::exists("/dev/full")) {
        WARN("this system has no /dev/full");
        return;
    }
    record log("/dev/full", "never", "none");
    CHECK_THROWS_AS(log(epoch_finished{}), data_error);
    CHECK_THROWS_WITH(log(epoch_finished{}), "cannot write the record /dev/full: No space left on device");
}

TEST_CASE("A line of the program has to be an object that names its event") {
    const temporary_folder folder;
    record log(folder / "run.jsonl", "never", "none");
    CHECK_THROWS_AS(log.write(record_line::array({1, 2})), argument_error);
    CHECK_THROWS_AS(log.write({{"settings", 1}}), argument_error);
    CHECK_THROWS_AS(log.write({{"event", 1}}), argument_error);
    CHECK(text_of(folder / "run.jsonl").empty());
    log.write(nlohmann::json{{"event", "run"}, {"schema", 7}});
    CHECK(lines_of(folder / "run.jsonl").size() == 1);
}

}  // namespace
