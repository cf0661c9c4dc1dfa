// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/data/transforms/subset.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The samples of some classes of a data set. They keep their order and their ids; class chosen[i] becomes
/// class i.
template <dataset Dataset>
class chosen_classes {
public:
    /// @throws argument_error when no class is chosen, one is chosen twice or is none of the data set's, or
    /// none of the samples is of a chosen class
    chosen_classes(const Dataset& data, std::vector<std::size_t> chosen)
        : classes_(chosen.size()), samples_(data, indices_of(data, chosen)), new_target_(data.classes(), -1) {
        for (std::size_t i = 0; i < chosen.size(); ++i) new_target_[chosen[i]] = static_cast<std::int32_t>(i);
    }

    std::size_t size() const { return samples_.size(); }
    sample_shape shape() const { return samples_.shape(); }
    std::size_t classes() const { return classes_; }
    std::uint64_t sample_id(std::size_t index) const { return samples_.sample_id(index); }
    std::int32_t target(std::size_t index) const {
        return new_target_[static_cast<std::size_t>(samples_.target(index))];
    }
    bool random() const { return samples_.random(); }
    std::size_t views() const { return samples_.views(); }

    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        samples_.read(index, pixels);
    }

    template <std::floating_point T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        samples_.read(index, view, pixels);
    }

private:
    static std::vector<std::size_t> indices_of(const Dataset& data, const std::vector<std::size_t>& chosen) {
        require<argument_error>(!chosen.empty(), "a choice of classes is empty, expected at least 1");
        std::vector<bool> wanted(data.classes());
        for (const std::size_t label : chosen) {
            require<argument_error>(label < wanted.size(), "a choice of classes asks for class ", label,
                                    ", expected less than ", wanted.size(), ", the number of classes");
            require<argument_error>(!wanted[label], "a choice of classes asks for class ", label, " twice");
            wanted[label] = true;
        }
        std::vector<std::size_t> indices;
        for (std::size_t index = 0; index < data.size(); ++index)
            if (wanted[static_cast<std::size_t>(data.target(index))]) indices.push_back(index);
        require<argument_error>(!indices.empty(), "none of the ", data.size(),
                                " samples of the data set is of a chosen class");
        return indices;
    }

    std::size_t classes_;
    subset<Dataset> samples_;
    std::vector<std::int32_t> new_target_;  // by class of the data set
};

}  // namespace frostline::inline FROSTLINE_ISA
