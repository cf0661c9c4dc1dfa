// SPDX-License-Identifier: MIT
#include "frostline/testing/policy_check.hpp"

#include "frostline/freeze/named_policy.hpp"
#include "frostline/testing/archetypes.hpp"
#include "support/catch.hpp"

#include <memory>

using namespace frostline;
using Catch::Matchers::StartsWith;

namespace {

struct hasty {
    static constexpr const char* scorer = "any";
    std::size_t operator()(const training_view& view) const { return view.epoch > 3 ? 2 : 0; }
};

template <class Policy>
void policy_breaks(const Policy& policy, const std::string& sentence) {
    const auto problems = check_policy(policy);
    REQUIRE_FALSE(problems.empty());
    CHECK_THAT(problems.back(), StartsWith(sentence));
}

}  // namespace

TEST_CASE("every policy with a name keeps what a policy has to keep") {
    for_each_named_policy([](std::string_view name, const auto& policy, std::string_view) {
        INFO(name);
        CHECK(check_policy(policy) == std::vector<std::string>{});
        CHECK(check_policy(named_policy(name), 7) == std::vector<std::string>{});
    });
    CHECK(check_policy(freezing_policy_archetype::make()).empty());
    CHECK(check_policy([](const training_view& view) { return view.epoch / 4; }).empty());
    CHECK(check_policy(head_first(learn_and_drop{})).empty());
    CHECK(check_policy(learn_and_drop{.from_start = 0.5}).empty());
    CHECK(check_policy(end_resume(linear_schedule{}, 0.3)).empty());
    CHECK(check_policy(named_policy("linear:start=0,thaw_on_loss_rise=2,thaw_on_rate_drop=10")).empty());
}

TEST_CASE("the invented runs make policies freeze and thaw, or checking them would prove nothing") {
    const auto most = [](const any_policy& policy) {
        std::size_t found = 0;
        for (const auto& frozen : policy_trace(3).follow(policy))
            found = std::max(found, frozen.leading() + frozen.behind().size());
        return found;
    };
    for_each_named_policy([&](std::string_view name, const auto&, std::string_view) {
        INFO(name);
        const bool needs_more = name == "egeria";  // a window of 10, twice
        const any_policy policy =
            named_policy(needs_more ? "egeria:window=2,tolerance=0.5,patience=1" : name);
        CHECK((most(policy) > 0) == (name != "never"));
    });
}

TEST_CASE("the check finds a policy with state, alone and shared between copies") {
    policy_breaks([calls = std::make_shared<std::size_t>(0)](const training_view&) { return ++*calls / 500; },
                  "a policy answers differently after its copy was asked, so copies share state: decision ");
    policy_breaks([calls = std::make_shared<std::size_t>(0)](const training_view&) { return ++*calls % 3; },
                  "a policy thaws");
    CHECK_THAT(check_policy([calls = std::make_shared<std::size_t>(0)](const training_view&) {
                   return ++*calls / 50;
               }).front(),
               StartsWith("the same views do not give the same answers: decision "));
}

TEST_CASE("the check finds a policy whose copy is another one") {
    struct lossy {
        std::size_t blocks = 2;
        lossy() = default;
        lossy(const lossy&) : blocks(1) {}
        lossy& operator=(const lossy&) = default;
        std::size_t operator()(const training_view& view) const { return view.epoch > 2 ? blocks : 0; }
    };
    policy_breaks(lossy{}, "a copy of a policy answers differently: decision ");
}

TEST_CASE("the check finds a policy that answers below zero") {
    const auto problems = check_policy([](const training_view& view) { return view.epoch < 3 ? -1 : 0; });
    REQUIRE_FALSE(problems.empty());
    CHECK_THAT(problems.front(), StartsWith("a policy answers a number below zero"));
}

TEST_CASE("the check finds a policy that freezes without the scores it declares to use") {
    policy_breaks(hasty{},
                  "a policy that declares a scorer freezes 2 blocks without a single score, expected none");
}

TEST_CASE("the check finds a policy that thaws and does not say so") {
    const auto wavering = [](const training_view& view) { return view.epoch == 5 ? 0 : view.epoch / 3; };
    policy_breaks(wavering, "a policy thaws what it froze, expected a member thaws that is true");
    const auto moving = [](const training_view& view) {
        frozen_blocks frozen;
        return frozen.insert(1 + view.epoch % 3);
    };
    policy_breaks(moving, "a policy thaws what it froze");
}

TEST_CASE("the check finds a learning rate that is no rate") {
    struct negative {
        std::size_t operator()(const training_view&) const { return 0; }
        double learning_rate(const rate_view& now) const { return now.block == 2 ? -now.rate : now.rate; }
    };
    policy_breaks(negative{}, "the learning rate of block 2 at step 0 is -0.05, expected a finite number");
}
