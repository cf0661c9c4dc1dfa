// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/optimiser.hpp"
#include "frostline/core/all_finite.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/parameter.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

struct sgd_options {
    double momentum = 0.9;
    bool nesterov = false;
    bool decay_everywhere = false;  ///< weight decay for biases and batch norm, too
};

/// Stochastic gradient descent with momentum, as PyTorch defines it (no dampening):
/// g' = g + decay * w;  v = momentum * v + g';  w -= rate * v, or rate * (g' + momentum * v) with Nesterov's
/// momentum.
template <class T>
class sgd {
public:
    /// @throws argument_error for a momentum outside [0, 1), and for Nesterov's without any
    explicit sgd(const sgd_options& options = {}) : options_(options) {
        // As T: what rounds up to 1 never lets go of a gradient.
        require<argument_error>(options.momentum >= 0 && static_cast<T>(options.momentum) < 1,
                                "sgd: the momentum must be in [0, 1), found ", options.momentum);
        require<argument_error>(!options.nesterov || options.momentum > 0,
                                "sgd: Nesterov's momentum needs a momentum above 0");
    }

    /// Lays out the momentum, which starts at zero. @throws argument_error unless the slices are in the order
    /// of the blocks and of the arenas
    void attach(std::span<const parameter_slice> slices) {
        chunks_.clear();
        std::size_t end = 0;
        for (const auto& slice : slices) {
            require<argument_error>(
                slice.offset >= end && (chunks_.empty() || slice.block >= chunks_.back().block),
                "sgd: the parameters must be in the order of their blocks, but one of block ", slice.block,
                " at offset ", slice.offset, " follows offset ", end);
            end = slice.offset + slice.size;
            for (std::size_t begin = slice.offset; begin < end; begin += chunk_size)
                chunks_.push_back({slice.block, begin, std::min(chunk_size, end - begin), slice.decays});
        }
        momentum_.assign(whole_lines<T>(end), T{0});
        diverged_.assign(chunks_.size(), 0);
    }

    std::optional<std::size_t> step(std::span<T> values, std::span<const T> gradients,
                                    std::size_t first_block, std::span<const block_rate> rates) {
        require<argument_error>(values.size() >= momentum_.size() && gradients.size() >= momentum_.size(),
                                "sgd: the arenas hold ", values.size(), " values and ", gradients.size(),
                                " gradients, but the attached parameters need ", momentum_.size());
        require<argument_error>(chunks_.empty() || chunks_.back().block < rates.size(),
                                "sgd: found rates for ", rates.size(), " blocks, expected at least ",
                                chunks_.empty() ? 0 : chunks_.back().block + 1);
        const std::size_t first = first_chunk(first_block);
        parallel_ranges(chunks_.size() - first, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t index = first + begin; index < first + end; ++index)
                update(index, values.data(), gradients.data(), rates);
        });
        for (std::size_t index = first; index < chunks_.size(); ++index)
            if (diverged_[index]) return chunks_[index].block;
        return std::nullopt;
    }

    /// Momentum zero for the blocks [first_block, last_block).
    void reset(std::size_t first_block, std::size_t last_block) {
        for (std::size_t index = first_chunk(first_block); index < first_chunk(last_block); ++index) {
            T* const begin = momentum_.data() + chunks_[index].offset;
            std::fill(begin, begin + chunks_[index].size, T{0});
        }
    }

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("momentum", std::span<T>(momentum_));
    }

private:
    // A chunk's gradients stay in the second-level cache between the check and the update.
    static constexpr std::size_t chunk_size = std::size_t{1} << 14;

    struct chunk {
        std::size_t block;
        std::size_t offset;
        std::size_t size;
        bool decays;
    };

    std::size_t first_chunk(std::size_t block) const {
        const auto found = std::partition_point(chunks_.begin(), chunks_.end(),
                                                [=](const chunk& part) { return part.block < block; });
        return static_cast<std::size_t>(found - chunks_.begin());
    }

    void update(std::size_t index, T* values, const T* gradients, std::span<const block_rate> rates) {
        const chunk& part = chunks_[index];
        diverged_[index] = 0;
        if (!rates[part.block].learns) return;
        const T* const g = gradients + part.offset;
        diverged_[index] = !all_finite(g, part.size);
        if (diverged_[index]) return;

        T* const w = values + part.offset;
        T* const v = momentum_.data() + part.offset;
        const auto momentum = static_cast<T>(options_.momentum);
        const auto rate = static_cast<T>(rates[part.block].rate);
        const auto decay =
            part.decays || options_.decay_everywhere ? static_cast<T>(rates[part.block].decay) : T{0};
        if (options_.nesterov) {
            for (std::size_t i = 0; i < part.size; ++i) {
                const T gradient = g[i] + decay * w[i];
                v[i] = momentum * v[i] + gradient;
                w[i] -= rate * (gradient + momentum * v[i]);
            }
        } else {
            for (std::size_t i = 0; i < part.size; ++i) {
                v[i] = momentum * v[i] + (g[i] + decay * w[i]);
                w[i] -= rate * v[i];
            }
        }
    }

    sgd_options options_;
    std::vector<chunk> chunks_;
    // By chunk. Not vector<bool>, whose bits share words between threads.
    std::vector<unsigned char> diverged_;
    aligned_vector<T> momentum_;  // laid out like the arenas
};

}  // namespace frostline
