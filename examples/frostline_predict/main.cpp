// SPDX-License-Identifier: MIT
// frostline-predict: the classes of images, JPEG, PNG or in IDX format, by a network whose weights lie in a
// safetensors file: one line an image with its name, and labels and probabilities, separated by tabs.

#include "program.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/data/idx.hpp"
#include "frostline/data/image_file.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "frostline/data/transforms/padded.hpp"
#include "frostline/io/weights.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/models/vgg_imagenet.hpp"
#include "frostline/train/prediction.hpp"
#include "frostline/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iomanip>
#include <iostream>
#include <map>
#include <new>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using scalar = float;
constexpr std::size_t batch_size = 32;

struct settings {
    std::string weights;
    std::string model;
    std::string data;
    std::string image_size;
    std::size_t top = 1;
    std::vector<std::string> files;
};

// Images of one file in IDX format, or of some files of one image each.
struct named_images {
    frostline::tensor<std::uint8_t> pixels;
    std::vector<std::string> names;
};

named_images read_idx(const std::string& path) {
    named_images images{frostline::read_idx_images(path), {}};
    for (std::size_t index = 0; index < frostline::samples_of(images.pixels); ++index)
        images.names.push_back(path + ":" + std::to_string(index));
    return images;
}

named_images read_images(std::span<const std::string> paths, std::size_t size) {
    named_images images{{}, {paths.begin(), paths.end()}};
    const frostline::sample_shape shape{size, size, 3};
    frostline::resize(images.pixels, paths.size(), shape);
    frostline::parallel_for(paths.size(), [&](std::size_t index) {
        frostline::read_image(paths[index], size,
                              {images.pixels.data() + index * shape.size(), shape.size()});
    });
    return images;
}

// Calls use(network) with a new network of the model whose head the file has.
template <class Use>
void with_network(const std::string& model, const frostline::safetensors_file& file,
                  const frostline::sample_shape& input, const Use& use) {
    const frostline::stored_array* bias = nullptr;
    for (const char* name : {"fc.bias", "fc3.bias", "classifier.bias", "classifier.6.bias"})
        if (const auto* found = file.find(name)) bias = found;
    frostline::require<frostline::data_error>(bias != nullptr && bias->size() > 0, file.name(),
                                              ": has no bias of a head, which tells the number of classes");
    const std::size_t classes = bias->size();
    // torchvision's VGG has another head than that for small images.
    const std::map<std::string, frostline::vgg_repeats> depths{{"vgg11", frostline::vgg11_repeats},
                                                               {"vgg13", frostline::vgg13_repeats},
                                                               {"vgg16", frostline::vgg16_repeats},
                                                               {"vgg19", frostline::vgg19_repeats}};
    if (const auto depth = depths.find(model); depth != depths.end() && bias->name == "classifier.6.bias")
        use(frostline::make_vgg_imagenet<scalar>(input, classes, depth->second));
    else
        frostline::with_model<scalar>(model, input, classes, use);
}

template <class Network>
void print(Network& network, const settings& chosen, const named_images& images, std::size_t border) {
    const std::size_t count = images.names.size();
    // The targets are unknown.
    const frostline::in_memory_dataset<std::uint8_t> bytes(images.pixels, std::vector<std::int32_t>(count, 0),
                                                           1);
    const auto data =
        frostline::normalised(frostline::padded(bytes, border), frostline::usual_statistics(chosen.data));
    std::vector<std::size_t> indices;
    frostline::tensor<scalar> batch;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    for (std::size_t begin = 0; begin < count; begin += batch_size) {
        indices.resize(std::min(batch_size, count - begin));
        std::iota(indices.begin(), indices.end(), begin);
        frostline::load_batch(data, indices, batch, targets, ids);
        const auto predictions = frostline::predict_batch(network, batch);
        for (std::size_t row = 0; row < predictions.size(); ++row) {
            std::cout << images.names[begin + row];
            for (const auto label : predictions[row].top(chosen.top))
                std::cout << '\t' << label << '\t'
                          << predictions[row].probabilities[static_cast<std::size_t>(label)];
            std::cout << '\n';
        }
    }
}

// Height and width of images that are not in IDX format.
std::size_t size_of(const settings& chosen, const frostline::safetensors_file& file) {
    std::string text = chosen.image_size;
    if (const auto found = file.metadata().find("image_size"); text.empty() && found != file.metadata().end())
        text = found->second;
    if (text.empty()) return 224;
    constexpr std::size_t most = 4096;
    std::size_t size = 0;
    const char* end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, size);
    frostline::require<frostline::argument_error>(
        problem == std::errc() && rest == end && size > 0 && size <= most, "the size of images is \"", text,
        "\", expected a whole number from 1 to ", most);
    return size;
}

void predict(settings chosen) {
    const frostline::safetensors_file file(chosen.weights);
    // frostline-train writes down what the weights belong to.
    const auto complete = [&](std::string& value, const char* key) {
        const auto found = file.metadata().find(key);
        if (value.empty() && found != file.metadata().end()) value = found->second;
        frostline::require<frostline::argument_error>(!value.empty(), chosen.weights, " does not name its ",
                                                      key, ": expected --", key);
    };
    complete(chosen.model, "model");
    complete(chosen.data, "data");
    (void)frostline::find_named(chosen.data);
    const std::size_t image_size = size_of(chosen, file);
    std::cout << std::setprecision(6);

    std::vector<std::string> image_files, idx_files;
    for (const auto& path : chosen.files)
        (frostline::has_image_extension(path) ? image_files : idx_files).push_back(path);
    frostline::require<frostline::argument_error>(
        chosen.image_size.empty() || !image_files.empty(),
        "--image-size is for JPEG and PNG images, and there is none");
    const auto run = [&](const frostline::sample_shape& shape, std::size_t border, const auto& each) {
        const frostline::sample_shape input{shape.height + 2 * border, shape.width + 2 * border,
                                            shape.channels};
        with_network(chosen.model, file, input, [&](auto network) {
            frostline::load_weights(network, file).require_complete();
            each([&](const named_images& images) { print(network, chosen, images, border); });
        });
    };
    for (const auto& path : idx_files) {
        const auto images = read_idx(path);
        const auto shape = frostline::shape_of(images.pixels);
        run(shape, program::border_of(chosen.model, shape), [&](const auto& show) { show(images); });
    }
    if (!image_files.empty())
        run({image_size, image_size, 3}, /*border=*/0, [&](const auto& show) {
            for (std::size_t begin = 0; begin < image_files.size(); begin += batch_size) {
                const std::size_t count = std::min(batch_size, image_files.size() - begin);
                show(
                    read_images(std::span<const std::string>(image_files).subspan(begin, count), image_size));
            }
        });
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    CLI::App app{"Predicts the classes of images: a line each with its name, labels and probabilities.",
                 "frostline-predict"};
    app.set_version_flag("--version", "frostline-predict " + std::string(frostline::version_string));
    app.add_option("FILE", chosen.files,
                   "JPEG or PNG images (.jpg, .jpeg, .png), or images in IDX format, plain or .gz")
        ->required();
    app.add_option("--weights", chosen.weights, "Weights with torchvision's names, in safetensors")
        ->type_name("FILE")
        ->required();
    app.add_option("--model", chosen.model,
                   "Network that they belong to (default: the one that the weights name)")
        ->type_name("NAME");
    app.add_option("--data", chosen.data,
                   "Data set on whose mean and deviation they were trained; imagenette for ImageNet "
                   "(default: the one that the weights name)")
        ->type_name("NAME");
    app.add_option("--image-size", chosen.image_size,
                   "Height and width to which JPEG and PNG images are resized and cropped (default: what the "
                   "weights name, else 224)")
        ->type_name("N");
    app.add_option("--top", chosen.top, "Print the N most probable classes")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    return program::main(app, argc, argv, [&] {
        try {
            predict(chosen);
        } catch (const std::bad_alloc&) {
            throw frostline::error("there is not enough memory for this network and these images");
        }
    });
}
