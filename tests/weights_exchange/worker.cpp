// SPDX-License-Identifier: MIT
// One side of the exchange with PyTorch. In FOLDER, for a model of the zoo, or VGG with its head for
// ImageNet:
//   worker export MODEL HEIGHT WIDTH CHANNELS CLASSES FOLDER   writes ours.safetensors, images.npy and
//   logits.npy worker import MODEL HEIGHT WIDTH CHANNELS CLASSES FOLDER   reads theirs.safetensors and
//   images.npy, writes logits.npy
#include "frostline/io/npy.hpp"
#include "frostline/io/weights.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/models/vgg_imagenet.hpp"

#include "support/standalone.hpp"

#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

namespace {

using namespace frostline;

// Weights as training leaves them: batch norm is no identity, and its statistics are some batch's.
template <class Network>
void wear_in(Network& network, const tensor<float>& images) {
    network.initialise(1);
    network.for_each_parameter([](auto& item) {
        if (item.decays) return;
        for (std::size_t index = 0; index < item.size(); ++index)
            item.value[index] +=
                static_cast<float>(0.2 * random_stream(0, purpose::user, hash_of(item.name)).normal(index));
    });
    for (int step = 0; step < 3; ++step)
        network.forward(images, 0, network.blocks(), {.phase = phase::training});
}

template <class Network>
void run(Network& network, const std::string& action, const std::filesystem::path& folder) {
    tensor<float> images;
    if (action == "export") {
        images = standalone::random_tensor<float>(4, network.input_shape(), "images");
        write_npy(folder / "images.npy", images);
        wear_in(network, images);
        save_weights(network, folder / "ours.safetensors");
    } else {
        images = read_npy_tensor<float>(folder / "images.npy");
        load_weights(network, folder / "theirs.safetensors").require_complete();
    }
    write_npy(folder / "logits.npy", network.predict(images));
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 8) throw argument_error("expected 7 arguments");
    const std::string action = argv[1], model = argv[2], imagenet = "_imagenet";
    const sample_shape input{std::stoul(argv[3]), std::stoul(argv[4]), std::stoul(argv[5])};
    const std::size_t classes = std::stoul(argv[6]);
    const auto use = [&](auto network) { run(network, action, argv[7]); };
    if (!model.ends_with(imagenet))
        with_model<float>(model, input, classes, use);
    else if (model.starts_with("vgg11"))
        use(vgg11_imagenet<float>(input, classes));
    else if (model.starts_with("vgg13"))
        use(vgg13_imagenet<float>(input, classes));
    else if (model.starts_with("vgg16"))
        use(vgg16_imagenet<float>(input, classes));
    else
        use(vgg19_imagenet<float>(input, classes));
    return 0;
} catch (const std::exception& failure) {
    std::cerr << "worker: " << failure.what() << '\n';
    return 1;
}
