// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/layers/convolution_options.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

struct layer {
    std::string name;
    frostline::kernels::convolution_geometry geometry;
};

/// Collects the distinct convolutions of one network at one size of input.
class layer_list {
public:
    layer_list(std::string network, std::size_t size, std::size_t batch)
        : name_(std::move(network) + "-" + std::to_string(size)), batch_(batch), size_(size) {}

    /// Notes a convolution that pads by half its kernel, on what is `size()` now.
    void add(std::size_t inputs, std::size_t outputs, std::size_t kernel, std::size_t stride) {
        auto g = frostline::geometry_of({.input_channels = inputs,
                                         .output_channels = outputs,
                                         .kernel = kernel,
                                         .stride = stride,
                                         .padding = kernel / 2},
                                        {size_, size_, inputs});
        g.samples = batch_;
        const std::string name =
            frostline::sentence(name_, "/", inputs, "->", outputs, "@", size_, "x", size_, "/kernel:", kernel,
                                "/stride:", stride, "/batch:", batch_);
        if (std::none_of(layers_.begin(), layers_.end(),
                         [&](const layer& known) { return known.name == name; }))
            layers_.push_back({name, g});
    }

    /// What follows is `stride` times smaller, as after a padded convolution or pooling.
    void shrink(std::size_t stride) { size_ = (size_ + stride - 1) / stride; }

    const std::vector<layer>& layers() const { return layers_; }

private:
    std::string name_;
    std::size_t batch_, size_;
    std::vector<layer> layers_;
};

inline std::vector<layer> vgg16_layers(std::size_t size, std::size_t batch) {
    layer_list list("vgg16", size, batch);
    std::size_t channels = 3;
    for (const auto& [width, repeats] : {std::pair{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}) {
        for (int repeat = 0; repeat < repeats; ++repeat) {
            list.add(channels, static_cast<std::size_t>(width), 3, 1);
            channels = static_cast<std::size_t>(width);
        }
        list.shrink(2);
    }
    return list.layers();
}

/// Version 1.5 with the stem for ImageNet at every size.
inline std::vector<layer> resnet50_layers(std::size_t size, std::size_t batch) {
    layer_list list("resnet50", size, batch);
    list.add(3, 64, 7, 2);
    list.shrink(4);
    std::size_t channels = 64;
    for (const std::size_t width : {64, 128, 256, 512})
        for (int block = 0; block < 2; ++block) {  // further blocks repeat the second
            const std::size_t stride = width > 64 && block == 0 ? 2 : 1;
            list.add(channels, width, 1, 1);
            list.add(width, width, 3, stride);
            if (block == 0) list.add(channels, 4 * width, 1, stride);
            list.shrink(stride);
            list.add(width, 4 * width, 1, 1);
            channels = 4 * width;
        }
    return list.layers();
}

inline std::vector<layer> all_layers() {
    std::vector<layer> all;
    for (const auto& layers :
         {vgg16_layers(32, 128), resnet50_layers(32, 128), vgg16_layers(224, 8), resnet50_layers(224, 16)})
        all.insert(all.end(), layers.begin(), layers.end());
    return all;
}
