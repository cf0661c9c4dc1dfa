// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// Any data set, for a choice made at run time: one trainer then serves all of them. Copies share the data
/// set, which nothing changes.
class any_dataset {
public:
    template <class Dataset>
        requires(!std::same_as<Dataset, any_dataset> && dataset<Dataset>)
    any_dataset(Dataset data) : held_(std::make_shared<const model<Dataset>>(std::move(data))) {}

    std::size_t size() const { return held_->size(); }
    sample_shape shape() const { return held_->shape(); }
    std::size_t classes() const { return held_->classes(); }
    std::uint64_t sample_id(std::size_t index) const { return held_->sample_id(index); }
    std::int32_t target(std::size_t index) const { return held_->target(index); }
    bool random() const { return held_->random(); }
    std::size_t views() const { return held_->views(); }

    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        held_->read(index, 0, pixels);
    }
    template <std::floating_point T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        held_->read(index, view, pixels);
    }

private:
    struct interface {
        virtual ~interface() = default;
        virtual std::size_t size() const = 0;
        virtual sample_shape shape() const = 0;
        virtual std::size_t classes() const = 0;
        virtual std::uint64_t sample_id(std::size_t index) const = 0;
        virtual std::int32_t target(std::size_t index) const = 0;
        virtual bool random() const = 0;
        virtual std::size_t views() const = 0;
        virtual void read(std::size_t index, std::uint32_t view, std::span<float> pixels) const = 0;
        virtual void read(std::size_t index, std::uint32_t view, std::span<double> pixels) const = 0;
    };

    template <class Dataset>
    struct model final : interface {
        explicit model(Dataset held) : data(std::move(held)) {}

        std::size_t size() const override { return data.size(); }
        sample_shape shape() const override { return data.shape(); }
        std::size_t classes() const override { return data.classes(); }
        std::uint64_t sample_id(std::size_t index) const override { return data.sample_id(index); }
        std::int32_t target(std::size_t index) const override { return data.target(index); }
        bool random() const override { return is_random(data); }
        std::size_t views() const override { return views_of(data); }
        void read(std::size_t index, std::uint32_t view, std::span<float> pixels) const override {
            read_view(data, index, view, pixels);
        }
        void read(std::size_t index, std::uint32_t view, std::span<double> pixels) const override {
            read_view(data, index, view, pixels);
        }

        Dataset data;
    };

    std::shared_ptr<const interface> held_;
};

}  // namespace frostline::inline FROSTLINE_ISA
