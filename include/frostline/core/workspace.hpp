// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"

#include <cstddef>
#include <deque>

namespace frostline::inline FROSTLINE_ISA {

/// Scratch memory that all layers of a network share. Leases nest like the calls that take them, and each
/// level keeps the largest size it was ever asked for: after the first step nothing is allocated, and the
/// whole costs one maximum a level instead of one buffer a layer.
template <class T>
class workspace {
    template <class Item>
    class pool {
    public:
        Item& take() {
            if (used_ == items_.size()) items_.emplace_back();
            return items_[used_++];
        }
        void give_back() { --used_; }

        template <class Visitor>
        void for_each(const Visitor& visit) const {
            for (const auto& item : items_) visit(item);
        }

    private:
        std::deque<Item> items_;  // a deque: leases hold references while the pool grows
        std::size_t used_ = 0;
    };

    template <class Item>
    class lease {
    public:
        template <class Prepare>
        lease(pool<Item>& from, const Prepare& prepare) : pool_(from), item_(from.take()) {
            prepare(item_);
        }
        lease(const lease&) = delete;
        lease& operator=(const lease&) = delete;
        ~lease() { pool_.give_back(); }

        Item& operator*() const { return item_; }
        Item* operator->() const { return &item_; }

    private:
        pool<Item>& pool_;
        Item& item_;
    };

public:
    /// Borrows an array of `count` uninitialised elements until the lease ends; leases end in reverse order.
    auto array(std::size_t count) {
        return lease<aligned_vector<T>>(arrays_, [&](auto& array) { array.resize(count); });
    }

    /// Borrows a tensor of shape (samples, shape...), uninitialised.
    auto borrow(std::size_t samples, const sample_shape& shape) {
        return lease<tensor<T>>(tensors_, [&](auto& item) { resize(item, samples, shape); });
    }

    std::size_t bytes() const {
        std::size_t elements = 0;
        arrays_.for_each([&](const auto& array) { elements += array.capacity(); });
        tensors_.for_each([&](const auto& item) { elements += item.storage().capacity(); });
        return elements * sizeof(T);
    }

private:
    pool<aligned_vector<T>> arrays_;
    pool<tensor<T>> tensors_;
};

}  // namespace frostline
