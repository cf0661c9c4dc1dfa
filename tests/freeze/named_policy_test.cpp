// SPDX-License-Identifier: MIT
#include "frostline/freeze/named_policy.hpp"

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

void refused_policy(const std::string& text, const std::string& message) {
    INFO(text);
    CHECK_THROWS_AS(named_policy(text), argument_error);
    CHECK_THROWS_WITH(named_policy(text), ContainsSubstring(message));
}

}  // namespace

TEST_CASE("a policy is found by its name") {
    CHECK(named_policy("never").name() == "never");
    CHECK(named_policy("linear").name() == "linear");
    CHECK(named_policy("learn_and_drop").name() == "learn_and_drop");
}

TEST_CASE("all options of a named policy can be had") {
    std::vector<std::pair<std::string, double>> options;
    const auto keep = [&](std::string_view key, auto value) { options.emplace_back(key, value); };
    named_policy("never", keep);
    CHECK(options.empty());
    named_policy("linear:end=0.8,end_resume=0.1", keep);
    CHECK(options == std::vector<std::pair<std::string, double>>{{"start", 0.5},
                                                                 {"end", 0.8},
                                                                 {"share", 1},
                                                                 {"thaw_on_rate_drop", 0},
                                                                 {"thaw_on_loss_rise", 0},
                                                                 {"thaw_on_score_rise", 0},
                                                                 {"head_first", 0},
                                                                 {"end_resume", 0.1},
                                                                 {"end_rate", 0.1}});
}

TEST_CASE("a named policy has the defaults of its type, and takes its options") {
    const auto usual = named_policy("linear");
    const auto early = named_policy("linear:start=0,end=0.5,share=0.5");
    for (std::size_t epoch = 0; epoch <= 10; ++epoch) {
        training_view view;
        view.epoch = epoch;
        view.epochs = 10;
        view.last_freezable = 8;
        CHECK(usual(view) == linear_schedule{}(view));
        CHECK(early(view) == linear_schedule{.start = 0, .end = 0.5, .share = 0.5}(view));
    }
    const std::vector<decision_scores> scores = [] {
        std::vector<decision_scores> made;
        for (std::size_t i = 0; i < 40; ++i) made.emplace_back(5, i < 3 ? 100.0 : 1e-3);
        return made;
    }();
    const std::vector<double> learning_rates(scores.size(), 0.1);
    training_view view;
    view.epoch = 40;
    view.epochs = 60;
    view.step = 40;
    view.blocks = 5;
    view.last_freezable = 4;
    view.scores = scores;
    view.learning_rates = learning_rates;
    CHECK(named_policy("never")(view) == 0);
    CHECK(named_policy("learn_and_drop")(view) == learn_and_drop{}(view));
    CHECK(named_policy("learn_and_drop:deadline=2,at_most=0.2")(view) == 1);
    CHECK(named_policy("learn_and_drop:deadline=2,at_most=0.6")(view) == 3);
    CHECK(named_policy("learn_and_drop:warm_up=1")(view) == 0);
}

TEST_CASE("an unknown policy is refused, and the known ones are named") {
    refused_policy("sometimes", "there is no policy \"sometimes\", known are never, learn_and_drop, linear");
    refused_policy("", "has no name");
    refused_policy("Never", "there is no policy \"Never\"");
}

TEST_CASE("an unknown option of a policy is refused, and the known ones are named") {
    refused_policy("never:start=1", "never has no option \"start\", it takes none");
    refused_policy("linear:begin=1", "linear has no option \"begin\", known are start, end, share");
    refused_policy("learn_and_drop:thaw_on_rate_drop=0.5",
                   "thaw_on_rate_drop must be 0 or more than 1, found 0.5");
    refused_policy("learn_and_drop:speed=1", "learn_and_drop has no option \"speed\", known are warm_up");
}

TEST_CASE("an option of a policy outside its range is refused") {
    refused_policy("linear:start=-0.1", "linear: start must be a number from 0 to 1, found -0.1");
    refused_policy("linear:end=1.5", "linear: end must be a number from 0 to 1, found 1.5");
    refused_policy("linear:share=2", "linear: share must be a number from 0 to 1, found 2");
    for (const std::string name : {"linear", "cubic", "gradual_thaw"})
        refused_policy(name + ":start=0.9,end=0.1", name + ": end is 0.1, expected no less than start, 0.9");
    refused_policy("linear:share=half", "linear: share must be a finite number, found \"half\"");
    refused_policy("linear:share", "expected KEY=VALUE");
    refused_policy("linear:share=1,share=1", "the option \"share\" stands twice");
    refused_policy("learn_and_drop:warm_up=1.1", "warm_up must be a number from 0 to 1, found 1.1");
    refused_policy("learn_and_drop:patience=0", "learn_and_drop: patience must be");
    refused_policy("learn_and_drop:patience=1.5", "patience must be a whole number, found 1.5");
}

TEST_CASE("any named policy can begin with the head alone") {
    training_view view;
    view.epochs = 10;
    view.blocks = 5;
    view.last_freezable = 4;
    CHECK(named_policy("never").at_start(view) == 0);
    CHECK(named_policy("head_only").at_start(view) == 4);
    CHECK(named_policy("gradual_thaw").at_start(view) == 4);
    CHECK(named_policy("learn_and_drop:from_start=0.6").at_start(view) == 3);
    const auto policy = named_policy("linear:head_first=0.2");
    CHECK(policy.at_start(view) == 4);
    view.epoch = 1;
    CHECK(policy(view) == 4);
    view.epoch = 3;
    CHECK(policy(view) == 0);
    CHECK(policy.thaws);
    refused_policy("never:head_first=0.2", "never has no option \"head_first\"");
}

TEST_CASE("any named policy can thaw when the head's score rises") {
    const auto policy = named_policy("linear:start=0,end=0,thaw_on_score_rise=2");
    const std::vector<decision_scores> scores{{std::nullopt, 1.0}, {std::nullopt, 3.0}};
    training_view view;
    view.epoch = 1;
    view.epochs = 10;
    view.blocks = 2;
    view.last_freezable = 1;
    view.scores = std::span(scores).first(1);
    CHECK(policy(view) == 1);
    view.scores = scores;
    CHECK(policy(view) == 0);
}
