// SPDX-License-Identifier: MIT

#include "run_data.hpp"

#include "program.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/data/transforms/chosen_classes.hpp"
#include "frostline/data/transforms/cycled_views.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "frostline/data/transforms/padded.hpp"
#include "frostline/data/transforms/split.hpp"
#include "frostline/data/transforms/subset.hpp"

#ifdef FROSTLINE_TRAIN_IMAGES
#include "frostline/data/imagenette.hpp"
#endif

#include <algorithm>
#include <new>
#include <set>
#include <string>
#include <utility>

namespace {

// Says what there was not enough memory for: `purpose` follows on "to".
template <class Work>
auto with_memory(const std::string& purpose, const Work& work) {
    try {
        return work();
    } catch (const std::bad_alloc&) {
        throw frostline::error("there is not enough memory to " + purpose);
    }
}

#ifdef FROSTLINE_TRAIN_IMAGES
frostline::image_folder_options image_options(const settings& chosen) {
    return {.size = chosen.image_size.value_or(128)};
}
#endif

frostline::any_dataset load(const settings& chosen, frostline::dataset_part part, std::size_t limit) {
    const auto count = [&](const auto& whole) {
        return limit == 0 ? whole.size() : std::min(limit, whole.size());
    };
#ifdef FROSTLINE_TRAIN_IMAGES
    if (chosen.data == "imagenette") {
        const auto whole = frostline::load_imagenette(chosen.data_dir, part, image_options(chosen));
        // Its files come class by class, so that the first would be of one class.
        const auto taken = [&](const auto& samples) -> frostline::any_dataset {
            auto indices = frostline::batch_order(samples.size(), 0, 0);
            indices.resize(count(samples));
            return frostline::subset(samples, std::move(indices));
        };
        if (chosen.classes.empty()) return taken(whole);
        return taken(frostline::chosen_classes(whole, chosen.classes));
    }
#endif
    const auto taken = [&](const auto& whole) -> frostline::any_dataset {
        const auto samples = frostline::take_first(whole, count(whole));
        return frostline::padded(samples, program::border_of(chosen.model, samples.shape()));
    };
    const auto whole = frostline::load_named(chosen.data, chosen.data_dir, part);
    if (chosen.classes.empty()) return taken(whole);
    return taken(frostline::chosen_classes(whole, chosen.classes));
}

// What the network sees: random shifts of up to an eighth and flips, where wanted, then the usual scale.
frostline::any_dataset prepared(const settings& chosen, const frostline::any_dataset& data, bool augment) {
    const auto scaled = [&](const auto& samples) {
        return frostline::normalised(samples, frostline::usual_statistics(chosen.data));
    };
    if (!augment) return scaled(data);
    const auto shifted = frostline::augmented(
        data, chosen.seed, frostline::random_crop{data.shape().height / 8}, frostline::horizontal_flip{});
    if (chosen.views == 0) return scaled(shifted);
    return scaled(frostline::cycled_views(shifted, chosen.views));
}

}  // namespace

void check_data(const settings& chosen) {
    frostline::require<frostline::argument_error>(
        chosen.augment || chosen.views == 0, "--views ", chosen.views,
        " counts augmented views of each image, but --augment is not there");
    frostline::require<frostline::argument_error>(
        !chosen.augment || chosen.views > 0 || chosen.store == "auto" || chosen.store == "none", "--store ",
        chosen.store,
        " has nothing to hold where --augment shows other images in each epoch: "
        "expected --views with their number, or --store auto or none");
    frostline::require<frostline::argument_error>(
        frostline::find_named(chosen.data).size == 0 || !chosen.image_size,
        "--image-size is for imagenette: the images of ", chosen.data, " are of one size");
#ifdef FROSTLINE_TRAIN_IMAGES
    // Without memory for them the images of the test part are listed, not decoded.
    if (chosen.data == "imagenette" && !chosen.summary)
        frostline::load_imagenette(chosen.data_dir, frostline::dataset_part::test, {.memory = 0});
#else
    frostline::require<frostline::argument_error>(
        chosen.data != "imagenette",
        "this program was built without what reads imagenette: libjpeg-turbo and libpng");
#endif
}

run_data load_data(const settings& chosen) {
    auto train = with_memory("load the training part of " + chosen.data, [&] {
        return load(chosen, frostline::dataset_part::train, chosen.train_limit);
    });
    auto test = with_memory("load the test part of " + chosen.data, [&] {
        return prepared(chosen, load(chosen, frostline::dataset_part::test, chosen.test_limit), false);
    });
    std::optional<frostline::any_dataset> validation;
    if (chosen.validation_share != 0) {
        auto parts = frostline::split(train, chosen.validation_share, chosen.seed);
        train = std::move(parts.train);
        validation = prepared(chosen, std::move(parts.validation), false);
    }
    train = prepared(chosen, train, chosen.augment);
    return {std::move(train), std::move(validation), std::move(test)};
}

sample_facts facts_of_samples(const settings& chosen) {
    const auto& set = frostline::find_named(chosen.data);
    std::size_t size = set.size, classes = 10;
#ifdef FROSTLINE_TRAIN_IMAGES
    if (size == 0) {
        size = image_options(chosen).size;
        classes =
            frostline::class_names_of(frostline::folder_of(chosen.data, chosen.data_dir) / "train").size();
    }
#endif
    if (!chosen.classes.empty()) {
        const auto& wanted = chosen.classes;
        frostline::require<frostline::argument_error>(
            std::all_of(wanted.begin(), wanted.end(), [&](std::size_t each) { return each < classes; }) &&
                std::set(wanted.begin(), wanted.end()).size() == wanted.size(),
            "--classes names a class twice, or one that ", chosen.data, " has not: it has ", classes);
        classes = wanted.size();
    }
    if (set.size > 0) size += 2 * program::border_of(chosen.model, {size, size, set.channels});
    return {{size, size, set.channels}, classes};
}
