// SPDX-License-Identifier: MIT

#include "training_process.hpp"

#include "program.hpp"

#include "frostline/core/errors.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <vector>

namespace {

std::atomic<bool> signalled = false;
std::atomic<pid_t> running = 0;

}  // namespace

// A terminal sends SIGINT to the cell that runs, too, but `kill` does not. Two of them would end it at once,
// so it leads a group of its own, and everything is passed on.
void watch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int number) {
        signalled = true;
        if (running > 0) ::kill(running, number);
    };
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);  // as nohup wants it
    }
}

// A lock belongs to the open file, which the runs inherit.
void lock_folder(const std::filesystem::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    frostline::require<frostline::data_error>(descriptor >= 0, "cannot open the folder ", folder.string(),
                                              ": ", std::generic_category().message(errno));
    frostline::require<frostline::data_error>(
        ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK,
        "another frostline-reproduce, or a run that "
        "one left behind, writes to the folder ",
        folder.string());
}

void run_training(const std::string& program, const cell& what, const std::filesystem::path& record) {
    std::filesystem::create_directories(record.parent_path());
    std::vector<std::string> words{program, "--quiet", "--record", record.string()};
    for (const auto& [key, value] : what.options) {
        words.push_back("--" + key);
        if (!value.empty()) words.push_back(value);
    }
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (signalled) throw interrupted{};
    pid_t child = 0;
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int problem =
        ::posix_spawnp(&child, program.c_str(), nullptr, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    frostline::require<frostline::data_error>(problem == 0, "cannot run ", program, ": ",
                                              std::generic_category().message(problem));
    running = child;
    if (signalled) ::kill(child, SIGTERM);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    running = 0;
    const bool ended = WIFEXITED(status);
    if (ended && WEXITSTATUS(status) == EXIT_SUCCESS) return;
    if (signalled || (ended && WEXITSTATUS(status) == program::ended_by_signal)) throw interrupted{};
    frostline::require<cell_failed>(false, "this cell failed",
                                    ended ? "" : frostline::sentence(" by signal ", WTERMSIG(status)), ": ",
                                    command_of(what));
}
