// SPDX-License-Identifier: MIT
#include "frostline/io/weights.hpp"

#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/flatten.hpp"
#include "frostline/models/lenet.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/models/vgg_imagenet.hpp"

#include "io_files.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/standalone.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Everything that is saved, as bytes.
template <class Network>
std::vector<typename Network::value_type> contents(Network& network) {
    std::vector<typename Network::value_type> all;
    for (const auto& array : weight_arrays(network))
        all.insert(all.end(), array.values.begin(), array.values.end());
    return all;
}

template <class Network>
void scatter_statistics(Network& network) {
    network.for_each_buffer([](auto& item) {
        standalone::fill(item.values.data(), item.values.size(), item.name);
        for (auto& value : item.values) value += 2;
    });
}

}  // namespace

TEST_CASE("saved weights are loaded again bit for bit, in every model of the zoo") {
    const temporary_folder folder;
    const auto path = folder / "weights.safetensors";
    for (const std::string name : {"lenet5", "vgg11", "resnet18", "resnet50"})
        with_model<float>(name, {32, 32, 3}, 7, [&](auto network) {
            INFO(name);
            network.initialise(1);
            scatter_statistics(network);
            const auto saved = contents(network);
            save_weights(network, path, {{"model", name}});
            network.initialise(2);
            CHECK(contents(network) != saved);
            const auto report = load_weights(network, path);
            CHECK(contents(network) == saved);
            CHECK(report.complete());
            CHECK(report.loaded.size() == weight_arrays(network).size());
            report.require_complete();
            CHECK(safetensors_file(path).metadata().find("model")->second == name);
        });
}

TEST_CASE("a file of float64 is loaded into a network of float32") {
    const temporary_folder folder;
    auto precise = lenet5<double>({28, 28, 1}, 10);
    save_weights(precise, folder / "weights");
    auto network = lenet5<float>({28, 28, 1}, 10);
    network.initialise(3);
    load_weights(network, folder / "weights").require_complete();
    const auto expected = contents(precise);
    const auto found = contents(network);
    CHECK(std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                     [](float left, double right) { return left == static_cast<float>(right); }));
}

TEST_CASE("weights are stored as PyTorch has them: OIHW, and a linear layer reads channel by channel") {
    auto network = lenet5<float>({28, 28, 1}, 10);
    golden::set_parameters(network, golden::load("lenet5"));  // PyTorch's values, brought to our layout
    const temporary_folder folder;
    save_weights(network, folder / "weights");
    const safetensors_file file(folder / "weights");
    const auto entries = golden::load("lenet5").at("parameters");
    CHECK(file.arrays().size() == entries.size());
    for (const auto& entry : entries) {
        const auto* array = file.find(entry.at("name").get<std::string>());
        REQUIRE(array != nullptr);
        CHECK(array->shape == entry.at("shape").get<golden::shape>());
        std::vector<float> found(array->size()), expected(array->size());
        file.copy<float>(*array, found);
        std::vector<std::size_t> order(array->size());
        for (std::size_t index = 0; index < order.size(); ++index) order[index] = index;
        golden::generate(entry, order, expected.data());
        CHECK(found == expected);
    }
}

TEST_CASE("a state dict of PyTorch's is loaded completely and gives PyTorch's logits") {
    network<vgg_convolution<float>, max_pool<float>, linear<float>> small(
        {6, 8, 2},
        std::vector{vgg_convolution<float>{
            {.convolution = {.name = "features.0", .input_channels = 2, .output_channels = 5, .padding = 1},
             .norm_name = "features.1",
             .bias = true}}},
        std::vector{max_pool<float>{{.kernel = 2}}},
        std::vector{linear<float>{{.name = "classifier", .inputs = 60, .outputs = 7}}});
    load_weights(small, std::string(FROSTLINE_GOLDEN_DIR) + "/weights.safetensors").require_complete();
    const auto file = golden::load("weights");
    CHECK(golden::logits_error(small.predict(golden::images<float>(file, 0)), file.at("logits")) < 1e-5);
}

TEST_CASE("batch norm has a count of batches in the file, which loading passes over") {
    auto network = resnet18<float>({32, 32, 3}, 10, {.stem = resnet_stem::cifar});
    const temporary_folder folder;
    save_weights(network, folder / "weights");
    const safetensors_file file(folder / "weights");
    const auto* count = file.find("layer2.0.downsample.1.num_batches_tracked");
    REQUIRE(count != nullptr);
    CHECK(count->type == element_type::int64);
    CHECK(count->shape.empty());
    CHECK(file.find("num_batches_tracked") == nullptr);
    CHECK(load_weights(network, file).unexpected.empty());
}

TEST_CASE(
    "what flattens before a linear layer does not matter for its layout, and batch norm between follows") {
    using behind = sequence<flatten<float>, batch_norm<float>, linear<float>>;
    network<max_pool<float>, behind, linear<float>> tail(
        {4, 6, 3}, std::vector{max_pool<float>{{.kernel = 2}}},
        std::vector{behind{flatten<float>{}, batch_norm<float>{"norm", 18},
                           linear<float>{{.name = "first", .inputs = 18, .outputs = 18}}}},
        std::vector{linear<float>{{.name = "second", .inputs = 18, .outputs = 2}}});
    const auto is_permuted = [](const auto& array) {
        return array.layout.height == 2 && array.layout.width == 3 && array.layout.inputs == 3;
    };
    for (const auto& array : weight_arrays(tail)) {
        INFO(array.name);
        const bool expected = array.name.starts_with("norm.") || array.name == "first.weight";
        CHECK(is_permuted(array) == expected);
        CHECK(array.in_head == array.name.starts_with("second."));
    }
    CHECK(weight_arrays(tail).size() == 8);
}

TEST_CASE("VGG's ImageNet head reads 7x7x512 features channel by channel", "[slow]") {
    auto vgg = vgg11_imagenet<float>({32, 32, 3}, 10);
    for (const auto& array : weight_arrays(vgg)) {
        if (array.name == "classifier.0.weight") {
            CHECK(array.shape == std::vector<std::size_t>{4096, 25088});
            CHECK((array.layout.height == 7 && array.layout.width == 7 && array.layout.inputs == 512));
        }
        if (array.name == "classifier.3.weight") CHECK(array.layout.height == 1);
    }
}

TEST_CASE("loading reports what is missing, unexpected and of another shape, and leaves that as it was") {
    const temporary_folder folder;
    auto source = lenet5<float>({28, 28, 1}, 10);
    source.initialise(1);
    safetensors_writer writer;
    for (const auto& array : weight_arrays(source)) {
        if (array.name == "fc2.bias") continue;
        auto shape = array.shape;
        if (array.name == "fc3.bias") shape = {10, 1};
        std::ranges::fill(writer.add<float>(array.name, shape), 3.0f);
    }
    std::ranges::fill(writer.add<float>("fc4.bias", {2}), 3.0f);
    writer.write(folder / "weights");

    auto network = source;
    const auto report = load_weights(network, folder / "weights");
    CHECK(report.loaded.size() == 8);
    CHECK(report.missing == std::vector<std::string>{"fc2.bias"});
    CHECK(report.unexpected == std::vector<std::string>{"fc4.bias"});
    REQUIRE(report.mismatched.size() == 1);
    CHECK(report.mismatched[0].name == "fc3.bias");
    CHECK(report.mismatched[0].found == std::vector<std::size_t>{10, 1});
    CHECK(report.mismatched[0].expected == std::vector<std::size_t>{10});
    CHECK_FALSE(report.complete());
    CHECK_THROWS_WITH(
        report.require_complete(),
        (folder / "weights").string() +
            ": 8 arrays were loaded, 1 are missing (fc2.bias), 1 are unexpected (fc4.bias), 1 have "
            "another shape (fc3.bias: found [10, 1], expected [10])");
    const auto before = weight_arrays(source), after = weight_arrays(network);
    for (std::size_t index = 0; index < before.size(); ++index) {
        const bool same = std::ranges::equal(before[index].values, after[index].values);
        const auto& name = before[index].name;
        CHECK(same == (name == "fc2.bias" || name == "fc3.bias"));
    }
}

TEST_CASE("a head is replaced whether or not the file's would fit") {
    const temporary_folder folder;
    auto source = resnet18<float>({32, 32, 3}, 10, {.stem = resnet_stem::cifar});
    save_weights(source, folder / "weights");
    for (const std::size_t classes : {10u, 4u}) {
        auto network = resnet18<float>({32, 32, 3}, classes, {.stem = resnet_stem::cifar});
        network.initialise(5);
        const auto fresh = network;
        const auto report = load_weights(network, folder / "weights", {.replace_head = true});
        report.require_complete();
        CHECK(report.replaced == std::vector<std::string>{"fc.weight", "fc.bias"});
        const auto drawn = weight_arrays(const_cast<decltype(network)&>(fresh)),
                   found = weight_arrays(network), expected = weight_arrays(source);
        for (std::size_t index = 0; index < found.size(); ++index)
            CHECK(std::ranges::equal(found[index].values,
                                     (found[index].in_head ? drawn : expected)[index].values));
    }
}

TEST_CASE("a head is replaced whatever the file has for it") {
    const temporary_folder folder;
    auto network = lenet5<float>({28, 28, 1}, 10);
    safetensors_writer writer;
    (void)writer.add<std::int64_t>("fc3.bias", {10});
    writer.write(folder / "weights");
    CHECK(load_weights(network, folder / "weights", {.replace_head = true}).replaced ==
          std::vector<std::string>{"fc3.weight", "fc3.bias"});
    CHECK_THROWS_AS((void)load_weights(network, folder / "weights"), data_error);
}

TEST_CASE("a weight that is not of floating point is refused by its name") {
    const temporary_folder folder;
    safetensors_writer writer;
    (void)writer.add<std::int64_t>("conv1.bias", {6});
    writer.write(folder / "weights");
    auto network = lenet5<float>({28, 28, 1}, 10);
    CHECK_THROWS_WITH((void)load_weights(network, folder / "weights"),
                      ContainsSubstring("'conv1.bias' is int64, expected float32 or float64"));
}
