// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"
#include "frostline/core/errors.hpp"

#include <mpi.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The processes that mpirun started, by MPI's C interface (the target frostline::mpi). A program that no
/// launcher started is a process alone, and MPI is not begun for it: the same program runs both ways.
///
/// An MPI library ends all processes where one of them is lost, or where an exchange fails. A process that
/// gives up has to end the others by abort(); one whose exception leaves the life of this object does so.
class mpi {
public:
    /// Whether a launcher started this process: mpirun, or one that speaks PMI as srun does.
    static bool launched() {
        constexpr std::array variables{"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
        return std::any_of(variables.begin(), variables.end(),
                           [](const char* name) { return std::getenv(name) != nullptr; });
    }

    /// Begins MPI where a launcher started this process and the program has not begun it by itself.
    /// @throws process_error when MPI cannot be called from the threads that may call it
    mpi() : exceptions_(std::uncaught_exceptions()) {
        int begun = 0, provided = MPI_THREAD_SINGLE;
        MPI_Initialized(&begun);
        if (!begun && !launched()) return;
        if (begun) {
            MPI_Query_thread(&provided);
        } else {
            // Open MPI would send whole arrays through one process. Here each sums a part, and the parts are
            // gathered: 2 (n - 1) / n of the bytes, whatever n is. Nothing to another library, or where it is
            // set.
            ::setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", "3", 0);
            // A loop of the library may go on in another thread than it began in, one at a time.
            MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
            ends_mpi_ = true;
        }
        // Of our own, so that nothing meets what the program exchanges by itself.
        MPI_Comm_dup(MPI_COMM_WORLD, &group_);
        int rank = 0, size = 1;
        MPI_Comm_rank(group_, &rank);
        MPI_Comm_size(group_, &size);
        rank_ = static_cast<std::size_t>(rank);
        size_ = static_cast<std::size_t>(size);
        require<process_error>(size_ == 1 || provided >= MPI_THREAD_SERIALIZED,
                               begun ? "the program has begun MPI for a single thread, expected "
                                       "MPI_THREAD_SERIALIZED of MPI_Init_thread"
                                     : "this MPI library takes no calls from several threads in turn");

        MPI_Comm here = MPI_COMM_NULL;
        MPI_Comm_split_type(group_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
        MPI_Comm_size(here, &size);
        MPI_Comm_free(&here);
        here_ = static_cast<std::size_t>(size);
    }

    mpi(const mpi&) = delete;
    mpi& operator=(const mpi&) = delete;

    ~mpi() {
        if (group_ == MPI_COMM_NULL) return;
        // The others wait for this process, and would for ever.
        if (size_ > 1 && std::uncaught_exceptions() > exceptions_) abort();
        MPI_Comm_free(&group_);
        if (ends_mpi_) MPI_Finalize();
    }

    std::size_t rank() const { return rank_; }
    std::size_t size() const { return size_; }

    template <std::floating_point T>
    void sum(std::span<T> values) {
        for_each_part(values, [&](T* part, int count) {
            MPI_Allreduce(MPI_IN_PLACE, part, count, type_of<T>(), MPI_SUM, group_);
        });
    }

    template <std::floating_point T>
    void start_sum(std::span<T> values) {
        for_each_part(values, [&](T* part, int count) {
            MPI_Iallreduce(MPI_IN_PLACE, part, count, type_of<T>(), MPI_SUM, group_,
                           &started_.emplace_back());
        });
    }

    // MPI moves what was started when it is called, and not by itself.
    void progress() {
        int done = 0;
        if (!started_.empty())
            MPI_Testall(static_cast<int>(started_.size()), started_.data(), &done, MPI_STATUSES_IGNORE);
    }

    void wait() {
        if (started_.empty()) return;
        MPI_Waitall(static_cast<int>(started_.size()), started_.data(), MPI_STATUSES_IGNORE);
        started_.clear();
    }

    void broadcast(std::span<std::byte> bytes) {
        for_each_part(bytes,
                      [&](std::byte* part, int count) { MPI_Bcast(part, count, MPI_BYTE, 0, group_); });
    }

    std::uint64_t bytes() const { return bytes_; }

    /// Number of the processes that share this one's machine, at least 1.
    std::size_t processes_here() const { return here_; }

    /// Ends all processes, whatever they do.
    [[noreturn]] void abort(int code = EXIT_FAILURE) {
        if (group_ != MPI_COMM_NULL) MPI_Abort(group_, code);
        std::abort();
    }

private:
    template <class T>
    static MPI_Datatype type_of() {
        if constexpr (std::same_as<T, float>)
            return MPI_FLOAT;
        else
            return MPI_DOUBLE;
    }

    // MPI counts in int.
    template <class T, class Use>
    void for_each_part(std::span<T> values, const Use& use) {
        if (size_ == 1) return;
        constexpr std::size_t most = std::size_t{1} << 28;
        for (std::size_t begin = 0; begin < values.size(); begin += most) {
            const std::size_t count = std::min(most, values.size() - begin);
            use(values.data() + begin, static_cast<int>(count));
        }
        bytes_ += values.size_bytes();
    }

    int exceptions_;
    bool ends_mpi_ = false;
    MPI_Comm group_ = MPI_COMM_NULL;
    std::size_t rank_ = 0, size_ = 1, here_ = 1;
    std::uint64_t bytes_ = 0;
    std::vector<MPI_Request> started_;
};

static_assert(communicator<mpi>);

}  // namespace frostline
