// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"
#include "frostline/core/errors.hpp"

#include <cstddef>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Sums an array over all processes while it is still being written, from its end to its beginning: what is
/// complete goes off in buckets, large enough to use the network and small enough that the first is on its
/// way soon.
template <class T, communicator Communicator>
class gradient_buckets {
public:
    /// The communicator has to outlive the buckets. @throws argument_error for buckets without a number
    gradient_buckets(Communicator& processes, std::size_t bucket_bytes)
        : processes_(processes), bucket_(bucket_bytes / sizeof(T)) {
        require<argument_error>(bucket_ > 0, "a bucket of gradients needs room for a number, found ",
                                bucket_bytes, " bytes");
    }

    /// The elements [begin, end) of `array` are complete. Calls descend: each `end` is at most the `begin`
    /// before; what lies between is not exchanged.
    void add(std::span<T> array, std::size_t begin, std::size_t end) {
        if (end != begin_) {
            flush();
            end_ = end;
        }
        array_ = array;
        begin_ = begin;
        while (end_ - begin_ >= bucket_) send(end_ - bucket_);
        processes_.progress();
    }

    /// Returns when all that was added is summed.
    void finish() {
        flush();
        processes_.wait();
    }

private:
    void flush() {
        if (end_ > begin_) send(begin_);
        begin_ = end_ = 0;
    }

    void send(std::size_t from) {
        processes_.start_sum(array_.subspan(from, end_ - from));
        end_ = from;
    }

    Communicator& processes_;
    std::size_t bucket_;               // elements
    std::span<T> array_;
    std::size_t begin_ = 0, end_ = 0;  // complete, and not on its way yet
};

}  // namespace frostline
