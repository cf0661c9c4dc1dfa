// SPDX-License-Identifier: MIT
#pragma once

#ifdef FROSTLINE_TRAIN_MPI
#include "frostline/distributed/mpi.hpp"
#else
#include "frostline/distributed/single_process.hpp"
#endif
#include "frostline/core/parallel.hpp"

#include <algorithm>
#include <cstddef>
#include <thread>

/// Those that train together.
#ifdef FROSTLINE_TRAIN_MPI
using process_group = frostline::mpi;
#else
using process_group = frostline::single_process;
#endif

/// Of the processes that share this machine, at least 1.
inline std::size_t processes_here([[maybe_unused]] const process_group& processes) {
#ifdef FROSTLINE_TRAIN_MPI
    return processes.processes_here();
#else
    return 1;
#endif
}

/// A process's part of its machine's cores: those that its launcher left it, or an equal share of all.
inline int usual_threads(const process_group& processes) {
    const int left = frostline::threads();
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    return std::max(1, std::min(left, cores / static_cast<int>(processes_here(processes))));
}
