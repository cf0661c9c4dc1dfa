// SPDX-License-Identifier: MIT
#include "frostline/data/imagenette.hpp"

#include "idx_files.hpp"
#include "image_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cstdlib>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

void write_set(const std::filesystem::path& root) {
    for (const char* name : {"train/a/1.png", "train/b/1.png", "train/c/1.png", "val/a/1.png", "val/c/1.png"})
        idx_files::write(root / name, image_files::bytes_of("rgb.png"));
}

}  // namespace

TEST_CASE("Imagenette is found in the layouts of its archives") {
    for (const char* layout : {"imagenette2", "imagenette2-320", "imagenette2-160", "."}) {
        const temporary_folder folder;
        write_set(folder / layout);
        CHECK(load_imagenette(folder.path(), dataset_part::train, {.size = 8}).size() == 3);
    }
    const temporary_folder empty;
    CHECK_THROWS_WITH(load_imagenette(empty.path(), dataset_part::train),
                      ContainsSubstring("the data set imagenette was not found: expected the folder train/, "
                                        "looked in: " +
                                        (empty / "imagenette2").string()));
}

TEST_CASE("both parts of Imagenette number the classes as the training set does") {
    const temporary_folder folder;
    write_set(folder / "imagenette2");
    const auto validation = load_imagenette(folder.path(), dataset_part::test, {.size = 8});
    CHECK(validation.classes() == 3);
    CHECK(validation.size() == 2);
    CHECK(validation.target(1) == 2);
    std::filesystem::create_directories(folder / "imagenette2/val/d");
    CHECK_THROWS_WITH(load_imagenette(folder.path(), dataset_part::test),
                      ContainsSubstring("val/d: is none of the 3 classes: a to c"));
}

TEST_CASE("load_named says who reads Imagenette") {
    CHECK_THROWS_WITH(load_named("imagenette", "", dataset_part::train),
                      ContainsSubstring("load_imagenette"));
    CHECK(usual_statistics("imagenette").mean.size() == 3);
}

TEST_CASE("the images of Imagenette are read, in memory and as a stream alike", "[slow]") {
    const char* directory = std::getenv("FROSTLINE_DATA");
    const auto places = places_of("imagenette", "");
    const auto has_images = [](const auto& place) { return std::filesystem::exists(place / "train"); };
    if (!directory || std::none_of(places.begin(), places.end(), has_images)) {
        WARN("SKIPPED: FROSTLINE_DATA names no folder with imagenette2*");
        return;
    }
    const auto held = load_imagenette("", dataset_part::test, {.size = 64});
    const auto streamed = load_imagenette("", dataset_part::test, {.size = 64, .memory = 0});
    CHECK(held.classes() == 10);
    CHECK(held.size() >= 500);
    CHECK(held.in_memory());
    std::vector<float> one(held.shape().size()), other(one);
    for (std::size_t index = 0; index < held.size(); index += 7) {
        held.read(index, std::span(one));
        streamed.read(index, std::span(other));
        REQUIRE(one == other);
    }
}
