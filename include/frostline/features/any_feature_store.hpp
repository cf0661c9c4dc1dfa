// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/features/measure_store.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Any feature store, for a choice made at run time.
template <class T>
class any_feature_store {
public:
    template <class Store>
        requires(!std::same_as<Store, any_feature_store> && feature_store<Store, T>)
    any_feature_store(Store store) : held_(std::make_unique<model<Store>>(std::move(store))) {}

    void put(std::span<const feature_key> keys, const tensor<T>& rows) { held_->put(keys, rows); }
    void get(std::span<const feature_key> keys, tensor<T>& rows, std::vector<std::size_t>& missed) {
        held_->get(keys, rows, missed);
    }
    void prefetch(std::span<const feature_key> keys) { held_->prefetch(keys); }
    void clear() { held_->clear(); }
    std::size_t bytes() const { return held_->bytes(); }
    std::size_t budget() const { return held_->budget(); }

    /// Of a store that cannot, forgets nothing: see grows().
    void forget(std::span<const feature_key> keys) { held_->forget(keys); }
    bool grows() const { return held_->grows(); }
    std::vector<store_tier> tiers() const { return held_->tiers(); }
    void use_tiers(std::size_t count) { held_->use_tiers(count); }
    std::vector<tier_costs> measure(const sample_shape& shape) { return held_->measure(shape); }
    std::size_t row_bytes(const sample_shape& shape) const { return held_->row_bytes(shape); }
    std::string problem() const { return held_->problem(); }
    /// Of a store that does not tell: false.
    bool holds(const feature_key& key) const { return held_->holds(key); }

private:
    struct interface {
        virtual ~interface() = default;
        virtual void put(std::span<const feature_key> keys, const tensor<T>& rows) = 0;
        virtual void get(std::span<const feature_key> keys, tensor<T>& rows,
                         std::vector<std::size_t>& missed) = 0;
        virtual void prefetch(std::span<const feature_key> keys) = 0;
        virtual void clear() = 0;
        virtual std::size_t bytes() const = 0;
        virtual std::size_t budget() const = 0;
        virtual void forget(std::span<const feature_key> keys) = 0;
        virtual bool grows() const = 0;
        virtual std::vector<store_tier> tiers() const = 0;
        virtual void use_tiers(std::size_t count) = 0;
        virtual std::vector<tier_costs> measure(const sample_shape& shape) = 0;
        virtual std::size_t row_bytes(const sample_shape& shape) const = 0;
        virtual std::string problem() const = 0;
        virtual bool holds(const feature_key& key) const = 0;
    };

    template <class Store>
    struct model final : interface {
        explicit model(Store held) : store(std::move(held)) {}

        void put(std::span<const feature_key> keys, const tensor<T>& rows) override { store.put(keys, rows); }
        void get(std::span<const feature_key> keys, tensor<T>& rows,
                 std::vector<std::size_t>& missed) override {
            store.get(keys, rows, missed);
        }
        void prefetch(std::span<const feature_key> keys) override { store.prefetch(keys); }
        void clear() override { store.clear(); }
        std::size_t bytes() const override { return store.bytes(); }
        std::size_t budget() const override { return store.budget(); }
        void forget(std::span<const feature_key> keys) override {
            if constexpr (requires { store.forget(keys); }) store.forget(keys);
        }
        bool grows() const override { return frostline::grows(store); }
        std::vector<store_tier> tiers() const override { return tiers_of(store); }
        void use_tiers(std::size_t count) override {
            if constexpr (requires { store.use_tiers(count); }) store.use_tiers(count);
        }
        std::vector<tier_costs> measure(const sample_shape& shape) override {
            return measure_tiers<T>(store, shape);
        }
        std::size_t row_bytes(const sample_shape& shape) const override {
            return row_bytes_of<T>(store, shape);
        }
        std::string problem() const override { return problem_of(store); }
        bool holds(const feature_key& key) const override { return frostline::holds(store, key); }

        Store store;
    };

    std::unique_ptr<interface> held_;
};

}  // namespace frostline
