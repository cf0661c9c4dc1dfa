// SPDX-License-Identifier: MIT
// frostline-train: trains a model on a data set with a freezing policy, or compares the policy with training
// in full.

#include "program.hpp"
#include "settings.hpp"

#include "frostline/core/errors.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <thread>

namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "what a signal handler may write");

void on_signal(int number, void (*handler)(int), int flags) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) return;  // as nohup wants it
    action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(number, &action, nullptr);
}

int fail(const std::string& sentence, int code = EXIT_FAILURE) {
    return program::fail("frostline-train", sentence, code);
}

// The other processes would wait for this one for ever.
// @param patience  for another to tell; by default what all of them find is told by the first
int fail_together([[maybe_unused]] process_group& processes, const std::string& sentence,
                  [[maybe_unused]] std::optional<std::chrono::seconds> patience = std::nullopt) {
    if (processes.size() == 1) return fail(sentence);
#ifdef FROSTLINE_TRAIN_MPI
    std::this_thread::sleep_for(patience.value_or(std::chrono::seconds(processes.rank() == 0 ? 0 : 3)));
    fail(frostline::sentence("process ", processes.rank(), " of ", processes.size(), ": ", sentence));
    processes.abort();
#endif
    return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    // What cannot be written is then an error with a reason, and the record takes half a line back.
    on_signal(SIGPIPE, SIG_IGN, 0);
    on_signal(SIGXFSZ, SIG_IGN, 0);
    // The second one ends the program at once.
    for (const int number : {SIGINT, SIGTERM})
        on_signal(
            number, [](int) { interrupted = true; }, SA_RESTART | static_cast<int>(SA_RESETHAND));

    process_group processes;
    const bool first = processes.rank() == 0;
    if (!first) std::cout.rdbuf(nullptr);
    std::optional<settings> chosen;
    std::string problem;
    try {
        chosen = parse(argc, argv);
    } catch (const std::exception& failure) {
        problem = failure.what();
    }
    // One that trains would wait for ever for another that does not.
    double training = chosen && !chosen->verify && !chosen->summary ? 1 : 0;
    processes.sum(std::span(&training, 1));
    if (training > 0 && training < static_cast<double>(processes.size()))
        return problem.empty()
                   ? fail_together(processes, "the command lines differ between the processes of the run",
                                   std::chrono::seconds(first ? 1 : 3))
                   : fail_together(processes, problem, std::chrono::seconds(0));
    if (!problem.empty()) return first ? fail(problem, program::bad_command_line) : program::bad_command_line;
    bool cut_short = false;
    try {
        if (chosen && chosen->verify) {
            if (first) verify(*chosen);
        } else if (chosen) {
            cut_short = train(*chosen, interrupted, processes);
        }
    } catch (const std::bad_alloc&) {
        return fail_together(processes, "there is not enough memory to train " + chosen->model +
                                            " with a batch size of " + std::to_string(chosen->batch_size));
    } catch (const std::exception& failure) {
        return fail_together(processes, failure.what());
    }
    if (first && !std::cout.flush()) return fail_together(processes, "cannot write to standard output");
    return cut_short ? program::ended_by_signal : EXIT_SUCCESS;
}
