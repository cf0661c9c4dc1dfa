// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/learn_and_drop.hpp"

#include "freeze/traces.hpp"
#include "frostline/core/random.hpp"
#include "frostline/freeze/thawing.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

using namespace frostline;

namespace {

using traces::trace;

/// Asks after the last decision of `scores`, one an epoch.
std::size_t ask(const learn_and_drop& policy, const trace& scores, std::size_t epochs, std::size_t frozen,
                const std::vector<double>& train_losses) {
    const std::size_t blocks = scores.empty() ? 5 : scores[0].size();
    const std::vector<double> learning_rates(scores.size(), 0.1);
    training_view view;
    view.epoch = scores.size();
    view.epochs = epochs;
    view.step = scores.size();
    view.blocks = blocks;
    view.last_freezable = blocks - 1;
    view.frozen = frozen;
    view.scores = scores;
    view.learning_rates = learning_rates;
    view.train_losses = train_losses;
    return policy(view);
}

std::size_t ask(const learn_and_drop& policy, const trace& scores, std::size_t epochs,
                std::size_t frozen = 0) {
    return ask(policy, scores, epochs, frozen, std::vector<double>(scores.size(), 1.0));
}

/// Every block fell from a high peak long ago and has been still since then.
trace converged(std::size_t decisions, std::size_t blocks = 5) {
    trace scores;
    for (std::size_t i = 0; i < decisions; ++i) scores.emplace_back(blocks, i < 3 ? 100.0 : 1e-3);
    return scores;
}

/// No block slows down.
trace rising(std::size_t decisions, std::size_t blocks = 5) {
    trace scores;
    for (std::size_t i = 0; i < decisions; ++i) scores.emplace_back(blocks, 1.0 + static_cast<double>(i));
    return scores;
}

/// Scores alone decide, at any time.
constexpr learn_and_drop by_scores_alone{.warm_up = 0, .warm_up_most = 0, .deadline = 2};

/// The rules of learn_and_drop in one piece, without predicates.
struct in_one_piece : learn_and_drop {
    std::size_t operator()(const training_view& view) const {
        const auto over = [&](double share) {
            return static_cast<double>(view.epoch) >= share * static_cast<double>(view.epochs);
        };
        if (!over(warm_up)) return view.frozen;
        const bool learns = view.train_losses.back() < warm_up_loss || over(warm_up_most);
        const std::size_t freezable =
            std::min(view.last_freezable, view.blocks - std::min(view.blocks, keep_active));
        const auto most = static_cast<std::size_t>(std::ceil(at_most * static_cast<double>(view.blocks)));
        std::size_t due = view.frozen, done = view.frozen;
        const std::size_t now_at_most = std::min(freezable, view.frozen + most);
        while (due < now_at_most && late(view, due)) ++due;
        while (learns && done < now_at_most && converged(view, done)) ++done;
        return std::max(due, done);
    }

    /// Whether as many blocks as lie up to this one should be frozen by now.
    bool late(const training_view& view, std::size_t block) const {
        if (!view.scores.back()[block]) return false;
        const double now = static_cast<double>(view.epoch) / static_cast<double>(view.epochs);
        const double begin = std::min(warm_up_most, deadline);
        if (deadline > 1) return false;
        if (now >= deadline) return true;
        return now > begin &&
               static_cast<double>(block + 1) <=
                   (now - begin) / (deadline - begin) * static_cast<double>(view.blocks) + 1e-9;
    }

    bool converged(const training_view& view, std::size_t block) const {
        double peak = 0;
        for (const auto& scores : view.scores) peak = std::max(peak, scores[block].value_or(peak));
        const auto slow = [&](const decision_scores& scores) {
            return scores[block] && *scores[block] < below_peak * peak;
        };
        if (view.scores.empty() || !slow(view.scores.back())) return false;
        const auto slow_decisions = std::count_if(view.scores.begin(), view.scores.end(), slow);
        double gone = 0;  // in steps of one decision each
        for (std::size_t i = 0; i < view.scores.size(); ++i)
            gone += view.scores[i][block].value_or(0) * view.learning_rates[i];
        return static_cast<std::size_t>(slow_decisions) >= patience &&
               *view.scores.back()[block] * view.learning_rate_left < remaining * gone;
    }
};

}  // namespace

TEST_CASE("learn_and_drop decides as its rules written in one piece do") {
    std::size_t rises = 0, stays = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        const random_stream draws(seed, purpose::user, 1);
        const auto scores = traces::random_scores(seed, 12, 7);
        in_one_piece whole;
        if (seed > 0) {  // 0: the defaults
            whole.warm_up = 0.6 * draws.uniform(0);
            whole.below_peak = 0.2 + draws.uniform(1);
            whole.remaining = 2 * draws.uniform(2);
            whole.keep_active = draws.bits(3) % 6;
            whole.patience = 1 + draws.bits(4) % 4;
            whole.at_most = draws.uniform(5);
            whole.warm_up_loss = 2 * draws.uniform(6);
            whole.warm_up_most = draws.uniform(7);
            whole.deadline = 2 * draws.uniform(8);
        }
        const learn_and_drop composed = whole;
        const std::vector<double> learning_rates(scores.size(), 1.0);
        std::vector<double> train_losses;
        std::size_t frozen = 0;
        for (std::size_t epoch = 1; epoch <= scores.size(); ++epoch) {
            const trace so_far(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(epoch));
            train_losses.push_back(2 * draws.uniform(10 + epoch));
            training_view view;
            view.train_losses = train_losses;
            view.epoch = epoch;
            view.epochs = 12;
            view.step = epoch;
            view.blocks = 7;
            view.last_freezable = 6;
            view.frozen = frozen;
            view.scores = so_far;
            view.learning_rates = learning_rates;
            view.learning_rate_left = static_cast<double>(12 - epoch);
            REQUIRE(composed(view) == whole(view));
            const std::size_t before = std::exchange(frozen, composed(view));
            ++(frozen > before ? rises : stays);
        }
    }
    CHECK(rises > 500);
    CHECK(stays > 500);
}

TEST_CASE("learn_and_drop freezes what has converged") {
    CHECK(ask({}, converged(20), 57) > 0);  // 35 % of the run: nothing is due yet
    CHECK(ask({}, rising(20), 57) == 0);
}

TEST_CASE("learn_and_drop freezes what has not converged from 35 to 45 % of the run") {
    const learn_and_drop policy{.at_most = 1};
    const auto frozen = [&](std::size_t epoch) { return ask(policy, rising(epoch), 100); };
    CHECK(frozen(35) == 0);
    CHECK(frozen(37) == 1);
    CHECK(frozen(42) == 3);
    CHECK(frozen(43) == 4);  // four of five shares of the way to 45 %
}

TEST_CASE("learn_and_drop counts its shares in steps where those are known") {
    const auto scores = rising(9);
    training_view view{.epoch = 9,
                       .epochs = 10,
                       .step = 429,
                       .blocks = 5,
                       .last_freezable = 4,
                       .scores = scores,
                       .steps = 1000};
    const std::vector<double> ones(9, 1.0);
    view.train_losses = view.learning_rates = ones;
    const learn_and_drop policy{.at_most = 1};
    CHECK(policy(view) == 3);
    view.step = 430;
    CHECK(policy(view) == 4);
}

TEST_CASE(
    "learn_and_drop freezes a fifth of the blocks at a decision at most, so that short runs end later") {
    for (const std::size_t blocks : {5, 10, 53}) {
        const std::size_t fifth = (blocks + 4) / 5;
        std::size_t frozen = 0;
        for (std::size_t epoch = 1; epoch <= 8; ++epoch) {
            const std::size_t wanted = ask({}, rising(epoch, blocks), 8, frozen);
            if (epoch < 4)
                CHECK(wanted <= blocks / 4);  // 37.5 % of the run: a quarter is due
            else
                CHECK(wanted == std::min(frozen + fifth, blocks - 1));
            frozen = wanted;
        }
        CHECK(frozen == blocks - 1);
    }
    for (const std::size_t blocks : {1, 2}) CHECK(ask({}, rising(2, blocks), 2) == blocks - 1);
}

TEST_CASE("learn_and_drop counts its shares of the run from where something thawed") {
    // The loss jumps at epoch 20 of 40, behind the deadline; the jump is a share of 0.5 of the run.
    const auto thawing = thaw_on(when::loss_rises{1.5}, learn_and_drop{.at_most = 1});
    const auto asked = [&](const trace& scores, const auto& policy) {
        const std::size_t epoch = scores.size();
        const std::vector<double> learning_rates(epoch, 0.1);
        std::vector<double> train_losses(epoch, 1.0);
        for (std::size_t i = 19; i < epoch; ++i) train_losses[i] = 3;
        training_view view{.epoch = epoch,
                           .epochs = 40,
                           .step = epoch,
                           .blocks = 5,
                           .last_freezable = 4,
                           .scores = scores,
                           .train_losses = train_losses,
                           .learning_rates = learning_rates,
                           .steps = 40};
        return frozen_blocks(policy(view)).leading();
    };
    const auto after = [&](std::size_t epoch, const auto& policy) { return asked(rising(epoch), policy); };
    CHECK(after(19, thawing) == 4);
    CHECK(after(20, thawing) == 0);
    for (const std::size_t epoch : {21, 30, 34}) CHECK(after(epoch, thawing) == 0);
    CHECK(after(35, thawing) < 4);
    CHECK(after(36, thawing) < 4);
    CHECK(after(38, thawing) == 4);  // 0.45 of 40 epochs later
    // What slows down waits for the loss, or for as long as at the start.
    const auto slowing = [&](std::size_t epoch) {
        trace scores;
        for (std::size_t i = 0; i < epoch; ++i) scores.emplace_back(5, 1 / (1.0 + static_cast<double>(i)));
        return asked(scores, thaw_on(when::loss_rises{1.5}, learn_and_drop{.deadline = 2, .at_most = 1}));
    };
    CHECK(slowing(19) == 4);
    for (const std::size_t epoch : {20, 22, 33}) CHECK(slowing(epoch) == 0);
    CHECK(slowing(34) == 4);
    // Only the head learned for a quarter of the run.
    const auto head = head_first(learn_and_drop{.at_most = 1}, 0.25);
    CHECK(after(9, head) == 4);
    CHECK(after(10, head) == 0);
    CHECK(after(24, head) == 0);
    CHECK(after(27, head) < 4);
    CHECK(after(28, head) == 4);
}

TEST_CASE("learn_and_drop lets the rest freeze at an even pace, and all but the head by its deadline") {
    learn_and_drop policy{.warm_up_most = 0.4, .deadline = 0.6, .at_most = 1};
    const auto frozen = [&](std::size_t epoch) { return ask(policy, rising(epoch), 100); };
    CHECK(frozen(40) == 0);
    CHECK(frozen(43) == 0);
    CHECK(frozen(44) == 1);  // a fifth of the way, and of the five blocks
    CHECK(frozen(48) == 2);
    CHECK(frozen(55) == 3);
    CHECK(frozen(56) == 4);
    CHECK(frozen(100) == 4);
    policy.keep_active = 2;
    CHECK(frozen(100) == 3);
    policy.keep_active = 0;
    CHECK(frozen(100) == 4);
    policy.warm_up = 0.7;
    CHECK(frozen(69) == 0);
    CHECK(frozen(70) == 4);
    policy = {.warm_up_most = 0.8, .deadline = 0.6, .at_most = 1};  // at once
    CHECK(frozen(59) == 0);
    CHECK(frozen(60) == 4);
    policy.deadline = 1.01;
    CHECK(frozen(100) == 0);
    // What has no score is not due, and holds those behind it.
    auto scores = rising(60);
    scores.back()[2] = std::nullopt;
    CHECK(ask({.at_most = 1}, scores, 60) == 2);
}

TEST_CASE("learn_and_drop freezes nothing during its warm-up") {
    for (const double share : {0.1, 0.3, 0.5, 1.0}) {
        learn_and_drop policy;
        policy.warm_up = share;
        for (std::size_t epoch = 1; static_cast<double>(epoch) < share * 40; ++epoch)
            CHECK(ask(policy, converged(epoch), 40) == 0);
    }
}

TEST_CASE("learn_and_drop waits until the network has begun to learn, but not for ever") {
    const auto frozen = [](const std::vector<double>& train_losses) {
        return ask({.warm_up = 0, .deadline = 2}, converged(train_losses.size()), 40, 0, train_losses);
    };
    CHECK(frozen({2.3, 2.2, 1.4, 0.71}) == 0);
    CHECK(frozen({2.3, 2.2, 1.4, 0.69}) > 0);
    CHECK(frozen({2.3, 0.6, 0.9, 0.8}) == 0);          // it has forgotten what it knew
    CHECK(frozen(std::vector<double>(13, 2.3)) == 0);  // 13 of 40 epochs
    CHECK(frozen(std::vector<double>(14, 2.3)) > 0);   // 0.35 of them
}

TEST_CASE("learn_and_drop freezes nothing without scores") {
    learn_and_drop policy;
    policy.warm_up = 0;
    CHECK(ask(policy, {}, 10) == 0);
    CHECK(ask(policy, trace(40, decision_scores(5)), 60) == 0);  // behind the deadline
    // Nor a block whose newest score is absent.
    auto scores = converged(40);
    scores.back()[0] = std::nullopt;
    CHECK(ask(policy, scores, 60) == 0);
}

TEST_CASE("learn_and_drop freezes at most so many blocks at a decision, and never the head") {
    for (std::size_t most = 0; most <= 5; ++most) {  // of five blocks
        learn_and_drop policy = by_scores_alone;
        policy.keep_active = 0;
        policy.at_most = static_cast<double>(most) / 5;
        CHECK(ask(policy, converged(40), 60) == std::min<std::size_t>(most, 4));
        CHECK(ask(policy, converged(40), 60, 3) == (most == 0 ? 3 : 4));
        CHECK(ask(policy, converged(40), 60, 4) == 4);
    }
}

TEST_CASE("learn_and_drop freezes a prefix: a block that still changes holds those behind it") {
    auto scores = converged(40);
    learn_and_drop policy = by_scores_alone;
    policy.keep_active = 0;
    policy.at_most = 1;
    CHECK(ask(policy, scores, 60) == 4);
    for (std::size_t i = 0; i < scores.size(); ++i)
        scores[i][2] = 1.0 + static_cast<double>(i);  // ever faster
    CHECK(ask(policy, scores, 60) == 2);
}

TEST_CASE("learn_and_drop never lowers the frost line, whatever the scores") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const auto scores = traces::random_scores(seed, 30, 8);
        std::size_t frozen = 0;
        learn_and_drop policy = by_scores_alone;
        policy.at_most = 0.25;  // two of eight
        for (std::size_t decision = 1; decision <= scores.size(); ++decision) {
            const trace so_far(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(decision));
            const std::size_t wanted = ask(policy, so_far, 30, frozen);
            REQUIRE(wanted >= frozen);
            REQUIRE(wanted <= frozen + 2);
            REQUIRE(wanted <= 7);
            frozen = wanted;
        }
    }
}

TEST_CASE("learn_and_drop is a pure function of its view") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto scores = traces::random_scores(seed, 30, 8);
        const learn_and_drop policy{};
        const auto first = ask(policy, scores, 30);
        CHECK(ask(policy, scores, 30) == first);
        CHECK(ask(learn_and_drop{}, scores, 30) == first);
    }
}

TEST_CASE("learn_and_drop follows a trace computed by hand") {
    // Three learning blocks and the head; ten epochs whose rates sum to 1 each and end after the tenth.
    const trace scores{{0.40, 0.30, 0.20, 0.5},   {0.19, 0.16, 0.12, 0.4},   {0.012, 0.020, 0.05, 0.3},
                       {0.010, 0.016, 0.03, 0.2}, {0.010, 0.012, 0.02, 0.1}, {0.010, 0.012, 0.01, 0.1}};
    learn_and_drop policy = by_scores_alone;
    policy.warm_up = 0.2;
    policy.below_peak = 0.5;
    policy.remaining = 0.15;
    policy.patience = 1;
    policy.keep_active = 0;
    policy.at_most = 1;
    const std::vector<double> learning_rates(scores.size(), 1.0), train_losses(scores.size(), 0.5);
    const auto at = [&](std::size_t epoch, std::size_t frozen) {
        const trace so_far(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(epoch));
        training_view view;
        view.epoch = epoch;
        view.epochs = 10;
        view.step = epoch;
        view.blocks = 4;
        view.last_freezable = 3;
        view.frozen = frozen;
        view.scores = so_far;
        view.learning_rates = learning_rates;
        view.train_losses = std::span(train_losses).first(epoch);
        view.learning_rate_left = 10.0 - static_cast<double>(epoch);
        return policy(view);
    };
    CHECK(at(1, 0) == 0);   // warm-up
    CHECK(at(2, 0) == 0);   // 0.19 < 0.20, but 0.19 * 8 = 1.52 is still to come, after 0.59
    CHECK(at(3, 0) == 1);   // block 0: 0.012 * 7 = 0.14 * 0.602; block 1: 0.020 * 7 = 0.29 * 0.48
    CHECK(at(4, 1) == 1);   // block 1: 0.016 * 6 = 0.19 * 0.496
    CHECK(at(5, 1) == 2);   // block 1: 0.012 * 5 = 0.12 * 0.508; block 2: 0.02 * 5 = 0.24 * 0.42
    CHECK(at(6, 2) == 3);   // block 2: 0.01 * 4 = 0.09 * 0.43; the head never
    policy.at_most = 0.25;  // one of four
    CHECK(at(6, 0) == 1);
    policy.at_most = 1;
    policy.keep_active = 2;
    CHECK(at(6, 0) == 2);
    policy.keep_active = 0;
    policy.patience = 3;
    CHECK(at(3, 0) == 0);  // slow at the second and the third decision only
    CHECK(at(4, 0) == 1);
}

TEST_CASE("learn_and_drop counts slow decisions over a bad epoch, but not in one") {
    // Block 0 is slow, fast again at the fourth decision, and slow again.
    const trace scores{{1.0, 1.0}, {0.1, 1.0}, {0.1, 1.0}, {0.9, 1.0}, {0.1, 1.0}};
    learn_and_drop policy = by_scores_alone;
    policy.keep_active = 0;
    policy.below_peak = 0.6;
    policy.patience = 3;
    const auto at = [&](std::size_t epoch) {
        const trace so_far(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(epoch));
        return ask(policy, so_far, 10);
    };
    CHECK(at(3) == 0);
    CHECK(at(4) == 0);
    CHECK(at(5) == 1);
}

TEST_CASE("learn_and_drop refuses shares that are none, and may keep all blocks active") {
    for (const double share : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
        learn_and_drop policy;
        policy.at_most = share;
        CHECK_THROWS_AS(ask(policy, converged(40), 60), argument_error);
    }
    for (const double share : {-0.1, std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS(ask({.deadline = share}, converged(40), 60), argument_error);
    for (const std::size_t all : {5, 6}) CHECK(ask({.keep_active = all}, converged(40), 60) == 0);
}

TEST_CASE("learn_and_drop freezes nothing at the start that it keeps active") {
    const auto frozen = [](const learn_and_drop& policy) {
        return policy.at_start({.blocks = 10, .last_freezable = 9}).leading();
    };
    CHECK(frozen({}) == 0);
    CHECK(frozen({.from_start = 0.7}) == 7);
    CHECK(frozen({.from_start = 1}) == 9);
    CHECK(frozen({.keep_active = 3, .from_start = 1}) == 7);
    CHECK(frozen({.keep_active = 10, .from_start = 1}) == 0);
    CHECK(frozen({.keep_active = 11, .from_start = 1}) == 0);
}

TEST_CASE("learn_and_drop decides the same whatever the length of an epoch and the height of the rate") {
    const auto scores = traces::random_scores(1, 12, 7);
    const auto boundaries = [&](std::size_t steps_per_epoch, double rate) {
        const std::vector<double> learning_rates(scores.size(), rate);
        std::vector<std::size_t> wanted;
        for (std::size_t epoch = 1; epoch <= scores.size(); ++epoch) {
            const trace so_far(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(epoch));
            training_view view;
            view.epoch = epoch;
            view.epochs = 12;
            view.step = epoch * steps_per_epoch;
            view.blocks = 7;
            view.last_freezable = 6;
            view.scores = so_far;
            view.learning_rates = learning_rates;
            view.learning_rate_left = rate * static_cast<double>((12 - epoch) * steps_per_epoch);
            wanted.push_back(learn_and_drop{.warm_up = 0, .deadline = 2, .at_most = 1}(view));
        }
        return wanted;
    };
    const auto wanted = boundaries(1, 1);
    CHECK(wanted.back() > 0);
    CHECK(boundaries(4096, 1) == wanted);
    CHECK(boundaries(1, 0.0625) == wanted);
}
