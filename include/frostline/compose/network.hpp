// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parameter.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What is known of one block of a network without running it.
struct block_description {
    sample_shape input;
    sample_shape output;
    std::string layers;                ///< for people
    flop_counts flops;                 ///< for one sample
    std::size_t remembered_bytes = 0;  ///< by a training pass, for one sample, beside input and output
    std::size_t parameters = 0;        ///< learnt values, without padding
    std::size_t first_value = 0, last_value = 0;  ///< its half-open range in the arenas

    bool learns() const { return parameters > 0; }
};

/// A network: a tuple of stages, each a vector of one type of block, run over any half-open range of blocks.
///
/// How often a block repeats is a run-time number, so all depths of a family are one type and compile time
/// does not grow with depth. The network owns what its blocks share: the parameter arenas, the activations
/// between blocks, and the scratch. One thread uses it at a time; inside, every core works.
template <layer... Blocks>
class network {
    static_assert(sizeof...(Blocks) > 0, "frostline: a network needs at least one stage");
    static constexpr std::size_t stage_count = sizeof...(Blocks);

public:
    using value_type = typename std::tuple_element_t<0, std::tuple<Blocks...>>::value_type;
    static_assert((std::same_as<value_type, typename Blocks::value_type> && ...),
                  "frostline: all blocks of a network need the same value_type");
    using T = value_type;

    /// @param input shape of one sample
    /// Draws its weights from seed 0; initialise() draws them anew.
    /// @param stages blocks from the input to the head; a stage may be empty
    /// @throws shape_error when a block does not take what the one before gives
    /// @throws argument_error when two parameters have the same name, or there is no block
    explicit network(const sample_shape& input, std::vector<Blocks>... stages)
        : input_(input), stages_(std::move(stages)...) {
        describe();
        bind();
        initialise(0);
    }

    network(const network& other)
        : input_(other.input_),
          stages_(other.stages_),
          descriptions_(other.descriptions_),
          arenas_(other.arenas_) {
        describe();
        bind();
    }
    network& operator=(const network& other) { return *this = network(other); }
    network(network&&) noexcept = default;
    network& operator=(network&&) noexcept = default;

    /// Draws all parameters anew from `seed` and resets the running statistics.
    void initialise(std::uint64_t seed) {
        for_each_parameter([&](parameter<T>& item) { frostline::initialise(item, seed); });
        for_each_buffer([](buffer<T>& item) { frostline::initialise(item); });
    }

    std::size_t blocks() const { return descriptions_.size(); }
    const block_description& block(std::size_t index) const { return descriptions_[index]; }
    sample_shape input_shape() const { return input_; }
    sample_shape output_shape() const { return descriptions_.back().output; }
    /// Shape of the tensor that enters block `cut`; the output's for cut = blocks().
    sample_shape shape_at(std::size_t cut) const { return cut == 0 ? input_ : descriptions_[cut - 1].output; }

    /// Values and gradients of all parameters, block by block from the input.
    parameter_arenas<T>& arenas() { return arenas_; }
    const parameter_arenas<T>& arenas() const { return arenas_; }
    const std::vector<parameter_slice>& slices() const { return slices_; }

    /// Number of learnt values.
    std::size_t parameters() const {
        std::size_t total = 0;
        for (const auto& description : descriptions_) total += description.parameters;
        return total;
    }

    /// Runs the blocks [first, last) on `x`, which enters block `first`. The result stays valid until the
    /// next run of the same phase. In training `x` must stay as it is until backward.
    /// @param frozen  in training, which blocks run in the phase `frozen`, one flag for each block of the
    /// network; empty: none
    /// @throws shape_error for samples of another shape, or none at all
    const tensor<T>& forward(const tensor<T>& x, std::size_t first, std::size_t last, const pass& how,
                             const std::vector<bool>& frozen = {}) {
        check_range(first, last);
        require<shape_error>(shape_of(x) == shape_at(first), "network: block ", first, " takes samples of ",
                             shape_at(first), ", but was given ", shape_of(x));
        require<shape_error>(samples_of(x) > 0,
                             "network: a batch has at least one sample, this one has none");
        check_flags(frozen);
        const tensor<T>* input = &x;
        for (std::size_t index = first; index < last; ++index) {
            tensor<T>& output = how.phase == phase::training ? activations_[index] : alternating_[index % 2];
            pass here = how;
            if (!frozen.empty() && frozen[index] && how.phase == phase::training) here.phase = phase::frozen;
            visit(index, [&](auto& block, auto& context) {
                block.forward(*input, output, context, workspace_, here);
            });
            input = &output;
        }
        return *input;
    }

    /// Runs the whole network on `x` in inference.
    const tensor<T>& predict(const tensor<T>& x) {
        return forward(x, 0, blocks(), {.phase = phase::inference});
    }

    /// Backward through [first, last) of the last training forward, which started at `first` with `x`. `dy`
    /// is the gradient of its result, and scratch from then on. The parameter gradients of the range are
    /// overwritten, but for those of `frozen` blocks, which pass the gradient on only.
    /// @param frozen  as in that forward; block `first` must learn
    /// @param done  called as done(block) once nothing more is written to the gradients of a block, from the
    /// last block to the first
    /// @throws argument_error when x, dy and what the blocks remember differ in shape or number of samples;
    /// that they are of one forward is not checked
    /// @return the gradient of `x` when `wanted` says so, else a tensor of unspecified contents
    template <std::invocable<std::size_t> Done = any_visitor>
    const tensor<T>& backward(const tensor<T>& x, tensor<T>& dy, std::size_t first, std::size_t last,
                              gradients wanted = gradients::parameters, const std::vector<bool>& frozen = {},
                              const Done& done = {}) {
        check_range(first, last);
        check_flags(frozen);
        require<argument_error>(shape_of(x) == shape_at(first) && shape_of(dy) == shape_at(last) &&
                                    samples_of(x) == samples_of(dy),
                                "network: backward through [", first, ", ", last,
                                ") takes as many samples of ", shape_at(first), " as gradients of ",
                                shape_at(last), ", but was given ", samples_of(x), " of ", shape_of(x),
                                " and ", samples_of(dy), " of ", shape_of(dy));
        for (std::size_t index = first; index < last; ++index)
            require<argument_error>(samples_of(activations_[index]) == samples_of(dy),
                                    "network: backward of ", samples_of(dy), " samples through block ", index,
                                    ", which remembers a training forward of ",
                                    samples_of(activations_[index]));
        tensor<T>* doutput = &dy;
        for (std::size_t index = last; index-- > first;) {
            const tensor<T>& input = index == first ? x : activations_[index - 1];
            tensor<T>& dinput = gradients_[index % 2];
            // All blocks but the first have to pass the gradient on.
            const bool learns = wants_parameters(wanted) && (frozen.empty() || !frozen[index]);
            const auto here = index > first ? (learns ? gradients::both : gradients::input) : wanted;
            visit(index, [&](auto& block, auto& context) {
                block.backward(input, activations_[index], *doutput, context, workspace_, here, dinput);
            });
            done(index);
            doutput = &dinput;
        }
        return *doutput;
    }

    /// Gives back what training remembers of the blocks [first, last): they are frozen.
    void forget(std::size_t first, std::size_t last) {
        check_range(first, last);
        for (std::size_t index = first; index < last; ++index) {
            activations_[index] = tensor<T>();
            visit(index, [](auto&, auto& context) { context = {}; });
        }
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visitor) {
        for_each_block([&](auto& block) { block.for_each_parameter(visitor); });
    }
    template <class Visitor>
    void for_each_buffer(const Visitor& visitor) {
        for_each_block([&](auto& block) { block.for_each_buffer(visitor); });
    }
    template <class Visitor>
    void for_each_block(const Visitor& visitor) {
        std::apply(
            [&](auto&... stage) {
                const auto each = [&](auto& blocks_of_stage) {
                    for (auto& block : blocks_of_stage) visitor(block);
                };
                (each(stage), ...);
            },
            stages_);
    }

    /// Calls visitor(block, context) with the block of this number.
    template <class Visitor>
    void visit(std::size_t index, const Visitor& visitor) {
        [&]<std::size_t... Stage>(std::index_sequence<Stage...>) {
            ((index >= starts_[Stage] && index < starts_[Stage + 1] &&
              (visitor(std::get<Stage>(stages_)[index - starts_[Stage]],
                       std::get<Stage>(contexts_)[index - starts_[Stage]]),
               true)) ||
             ...);
        }
        (std::make_index_sequence<stage_count>{});
    }

private:
    void check_range(std::size_t first, std::size_t last) const {
        require<argument_error>(first <= last && last <= blocks(), "network: [", first, ", ", last,
                                ") is not a range of its ", blocks(), " blocks");
    }

    void check_flags(const std::vector<bool>& frozen) const {
        require<argument_error>(frozen.empty() || frozen.size() == blocks(), "network: found ", frozen.size(),
                                " flags for frozen blocks, expected none or one for each of ", blocks(),
                                " blocks");
    }

    // Everything that follows from the blocks: where stages start, shapes, costs.
    void describe() {
        std::size_t start = 0, stage = 0;
        std::apply(
            [&](const auto&... blocks_of_stage) {
                ((starts_[stage++] = start, start += blocks_of_stage.size()), ...);
            },
            stages_);
        starts_[stage_count] = start;
        require<argument_error>(start > 0, "network: there is no block");
        [&]<std::size_t... Stage>(std::index_sequence<Stage...>) {
            (std::get<Stage>(contexts_).resize(std::get<Stage>(stages_).size()), ...);
        }
        (std::make_index_sequence<stage_count>{});
        activations_.resize(start);

        descriptions_.clear();
        sample_shape shape = input_;
        for_each_block([&](const auto& block) {
            block_description description{.input = shape,
                                          .output = block.output_shape(shape),
                                          .layers = description_of(block),
                                          .flops = block.flops(shape),
                                          .remembered_bytes = remembered_bytes_of(block, shape)};
            shape = description.output;
            descriptions_.push_back(description);
        });
    }

    // Names the parameters, lays them out in the arenas, and notes where each lies.
    void bind() {
        std::vector<parameter<T>*> bound;
        std::set<std::string> names;
        slices_.clear();
        std::size_t index = 0, offset = 0;
        for_each_block([&](auto& block) {
            auto& description = descriptions_[index];
            description.parameters = 0;
            description.first_value = offset;
            std::size_t ordinal = 0;
            const auto name_it = [&](auto& item) {
                // A layer without a name gets one from its place.
                if (item.name.starts_with('.')) item.name = sentence("block", index, ".", ordinal, item.name);
                ++ordinal;
                require<argument_error>(names.insert(item.name).second,
                                        "network: two parameters or buffers are called '", item.name,
                                        "': give their layers different names");
            };
            block.for_each_parameter([&](parameter<T>& item) {
                name_it(item);
                bound.push_back(&item);
                slices_.push_back(
                    {.block = index, .offset = offset, .size = item.size(), .decays = item.decays});
                description.parameters += item.size();
                offset += whole_lines<T>(item.size());
            });
            block.for_each_buffer(name_it);
            description.last_value = offset;
            ++index;
        });
        arenas_.bind(bound);
    }

    sample_shape input_;
    std::tuple<std::vector<Blocks>...> stages_;
    std::tuple<std::vector<typename Blocks::context>...> contexts_;
    std::array<std::size_t, stage_count + 1> starts_{};
    std::vector<block_description> descriptions_;
    std::vector<parameter_slice> slices_;
    parameter_arenas<T> arenas_;

    std::vector<tensor<T>> activations_;    // output of each block in training
    std::array<tensor<T>, 2> alternating_;  // in inference an output lives until the next but one
    std::array<tensor<T>, 2> gradients_;
    workspace<T> workspace_;
};

}  // namespace frostline
