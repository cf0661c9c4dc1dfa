// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/batches.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The probe batch: `samples` of a data set, or all of its samples where it has fewer. Always the same ones,
/// whatever the seed of the run, and in view 0 where views differ. @return images, none for 0 samples
template <class T, dataset Dataset>
tensor<T> probe_images(const Dataset& data, std::span<const std::uint64_t> ids, std::size_t samples) {
    tensor<T> images;
    if (samples == 0) return images;
    constexpr std::uint64_t seed = 0, epoch = 0;
    auto order = batch_order(ids, seed, epoch);
    order.resize(std::min(samples, order.size()));
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> sample_ids;
    load_batch(data, order, images, targets, sample_ids);
    return images;
}

/// Keeps what the blocks of a network give for the probe batch, now and at the reference.
template <class Network>
class probe {
    using T = typename Network::value_type;

public:
    explicit probe(Network& network) : network_(network) {}

    /// Takes the outputs at the start of a run. `snapshot` is run once, where it is the reference.
    /// @throws argument_error when there is no snapshot then, or a reference 0 decisions ago;
    ///         shape_error when the snapshot is of another network
    void start(tensor<T> images, const probe_reference& reference, Network* snapshot) {
        require<argument_error>(reference.decisions >= 1,
                                "a scorer compares with outputs at least 1 decision ago, found 0");
        images_ = std::move(images);
        reference_ = reference;
        kept_.assign(1, outputs_of_blocks(network_.blocks()));
        frozen_ = 0;
        features_ = tensor<T>();
        flops_ = 0;
        if (reference.of == probe_reference::kind::snapshot) {
            require<argument_error>(snapshot != nullptr,
                                    "the scorer compares with a snapshot, but the trainer was given none");
            require<shape_error>(
                snapshot->blocks() == network_.blocks() && snapshot->input_shape() == network_.input_shape(),
                "the snapshot that the scorer compares with has ", snapshot->blocks(),
                " blocks, but the network has ", network_.blocks());
            for (std::size_t block = 0; block < network_.blocks(); ++block)
                require<shape_error>(snapshot->block(block).output == network_.block(block).output, "block ",
                                     block, " of the snapshot that the scorer compares with gives ",
                                     snapshot->block(block).output, ", but that of the network ",
                                     network_.block(block).output);
            run_blocks(*snapshot, images_, 0, kept_.front());
        } else {
            run_blocks(network_, images_, 0, kept_.front());
        }
        now_ = outputs_of_blocks(network_.blocks());
    }

    /// Takes the outputs of the blocks from `frozen` on. What enters them is computed once for every place of
    /// the frost line.
    void run(std::size_t frozen) {
        if (frozen != frozen_) {
            for (std::size_t block = 0; block < frozen; ++block)
                flops_ += samples() * network_.block(block).flops.forward;
            features_ = tensor<T>();
            frozen_ = frozen;
        }
        if (frozen > 0 && samples_of(features_) == 0)
            features_ = network_.forward(images_, 0, frozen, {.phase = phase::inference});
        for (std::size_t block = 0; block < frozen; ++block) now_[block] = {};
        run_blocks(network_, frozen == 0 ? images_ : features_, frozen, now_);
    }

    std::size_t samples() const { return samples_of(images_); }
    std::span<const T> outputs(std::size_t block) const { return now_[block]; }

    /// Empty where there is no reference yet.
    std::span<const T> reference_outputs(std::size_t block) const {
        return kept_.size() < wanted_references() ? std::span<const T>() : kept_.front()[block];
    }

    /// Keeps the present outputs, which later decisions compare with.
    void keep() {
        if (reference_.of != probe_reference::kind::earlier) return;
        if (kept_.size() < wanted_references())
            kept_.push_back(outputs_of_blocks(network_.blocks()));
        else
            std::rotate(kept_.begin(), kept_.begin() + 1, kept_.end());
        std::swap(kept_.back(), now_);
    }

    /// Since the start of the run.
    std::uint64_t flops() const { return flops_; }

    /// For checkpoints, after start(): not the images, which are always the same, nor what enters block
    /// frozen_, which is computed again.
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("flops", flops_);
        visit("frozen", frozen_);
        std::size_t kept = kept_.size();
        visit("kept", kept);
        require<data_error>(frozen_ < network_.blocks() && kept >= 1 && kept <= wanted_references(),
                            "its probe keeps ", kept, " outputs of the blocks from ", frozen_,
                            " on, expected from 1 to ", wanted_references());
        kept_.resize(kept, outputs_of_blocks(network_.blocks()));
        for (std::size_t number = 0; number < kept; ++number)
            for (std::size_t block = 0; block < network_.blocks(); ++block) {
                auto& outputs = kept_[number][block];
                visit(sentence("outputs.", number, ".", block), outputs);
                require<data_error>(
                    outputs.empty() || outputs.size() == samples() * network_.block(block).output.size(),
                    "its probe keeps ", outputs.size(), " outputs of block ", block);
            }
    }

private:
    using outputs_of_blocks = std::vector<aligned_vector<T>>;

    std::size_t wanted_references() const {
        return reference_.of == probe_reference::kind::earlier ? reference_.decisions : 1;
    }

    void run_blocks(Network& network, const tensor<T>& x, std::size_t first, outputs_of_blocks& outputs) {
        const tensor<T>* input = &x;
        for (std::size_t block = first; block < network.blocks(); ++block) {
            input = &network.forward(*input, block, block + 1, {.phase = phase::inference});
            flops_ += samples() * network.block(block).flops.forward;
            if (network.block(block).learns())
                outputs[block].assign(input->data(), input->data() + input->size());
        }
    }

    Network& network_;
    tensor<T> images_;
    probe_reference reference_{};
    outputs_of_blocks now_;
    std::vector<outputs_of_blocks> kept_;  // the oldest first
    tensor<T> features_;                   // what enters block frozen_
    std::size_t frozen_ = 0;
    std::uint64_t flops_ = 0;
};

}  // namespace frostline
