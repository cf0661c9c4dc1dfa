// SPDX-License-Identifier: MIT
#include "frostline/data/image_folder.hpp"

#include "frostline/data/batches.hpp"
#include "idx_files.hpp"
#include "image_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

static_assert(dataset<image_folder>);

constexpr std::size_t side = 8, row_bytes = 3 * side * side;

void put(const std::filesystem::path& path, const std::string& content) {
    idx_files::write(path, image_files::bytes_of(content));
}

/// Two classes, with files that are none of them.
void write_tree(const temporary_folder& folder) {
    put(folder / "cat/2.PNG", "rgb.png");
    put(folder / "cat/10.jpg", "baseline.jpg");
    put(folder / "cat/Z.Jpeg", "grey.jpg");
    put(folder / "apple/x.png", "rgba.png");
    idx_files::write(folder / "apple/notes.txt", {'x'});
    idx_files::write(folder / "readme.jpg", {'x'});
}

std::vector<float> pixels_of(const image_folder& data, std::size_t index) {
    std::vector<float> pixels(data.shape().size());
    data.read(index, std::span(pixels));
    return pixels;
}

}  // namespace

TEST_CASE("an image folder has the classes and files in the order of their names") {
    const temporary_folder folder;
    write_tree(folder);
    const image_folder data(folder.path(), {.size = side});
    CHECK(data.class_names() == std::vector<std::string>{"apple", "cat"});
    CHECK(data.classes() == 2);
    CHECK(data.size() == 4);
    CHECK(data.shape() == sample_shape{side, side, 3});
    std::vector<std::string> names;
    for (std::size_t index = 0; index < data.size(); ++index) {
        names.push_back(data.path(index).filename().string());
        CHECK(data.sample_id(index) == index);
        CHECK(data.target(index) == (index == 0 ? 0 : 1));
    }
    CHECK(names == std::vector<std::string>{"x.png", "10.jpg", "2.PNG", "Z.Jpeg"});
    CHECK(data.skipped().empty());
}

TEST_CASE("images are the same whether they are kept in memory or decoded when read") {
    const temporary_folder folder;
    write_tree(folder);
    const image_folder held(folder.path(), {.size = side, .memory = 4 * row_bytes});
    const image_folder streamed(folder.path(), {.size = side, .memory = 4 * row_bytes - 1});
    CHECK(held.in_memory());
    CHECK_FALSE(streamed.in_memory());
    for (std::size_t index = 0; index < 4; ++index) {
        CHECK(pixels_of(held, index) == pixels_of(streamed, index));
        std::vector<std::uint8_t> bytes(row_bytes);
        read_image(held.path(index), side, bytes);
        CHECK(pixels_of(held, index)[17] == static_cast<float>(bytes[17]) / 255);
    }
    const std::vector<std::size_t> all = {3, 0, 2, 1};
    tensor<float> held_images, streamed_images;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    load_batch(held, all, held_images, targets, ids);
    load_batch(streamed, all, streamed_images, targets, ids);
    CHECK((held_images == streamed_images));
    CHECK(targets == std::vector<std::int32_t>{1, 0, 1, 1});
}

TEST_CASE("a damaged image is an error that names it, when the set is opened or when it is read") {
    const temporary_folder folder;
    write_tree(folder);
    const auto bad = folder / "cat/5.jpg";
    idx_files::write(bad, image_files::cut(image_files::bytes_of("baseline.jpg"), 0.8));
    idx_files::write(folder / "cat/9.png", {'t', 'e', 'x', 't'});
    const auto names_it = ContainsSubstring(bad.string() + ": is no readable JPEG image");
    CHECK_THROWS_AS(image_folder(folder.path(), {.size = side}), data_error);
    CHECK_THROWS_WITH(image_folder(folder.path(), {.size = side}), names_it);
    const image_folder streamed(folder.path(), {.size = side, .memory = 0});
    CHECK(streamed.size() == 6);
    CHECK_NOTHROW(pixels_of(streamed, 1));
    CHECK_THROWS_WITH(pixels_of(streamed, 3), names_it);
}

TEST_CASE("damaged images can be left out, and are counted") {
    const temporary_folder folder;
    write_tree(folder);
    idx_files::write(folder / "cat/11.jpg", {'t', 'e', 'x', 't'});
    const image_folder held(folder.path(), {.size = side, .skip_unreadable = true});
    const image_folder streamed(folder.path(), {.size = side, .memory = 0, .skip_unreadable = true});
    for (const auto* data : {&held, &streamed}) {
        CHECK(data->size() == 4);
        REQUIRE(data->skipped().size() == 1);
        CHECK(data->skipped()[0] == (folder / "cat/11.jpg").string() + ": is neither a JPEG nor a PNG image");
        CHECK(data->sample_id(1) == 1);
        CHECK(data->sample_id(2) == 3);  // an id belongs to the file
        CHECK(data->path(2).filename() == "2.PNG");
    }
    CHECK(pixels_of(held, 3) == pixels_of(streamed, 3));
    std::vector<std::uint8_t> bytes(row_bytes);
    read_image(folder / "cat/Z.Jpeg", side, bytes);
    CHECK(pixels_of(held, 3)[5] == static_cast<float>(bytes[5]) / 255);

    for (const char* name : {"apple/x.png", "cat/2.PNG", "cat/10.jpg", "cat/Z.Jpeg"})
        idx_files::write(folder / name, {'x'});
    CHECK_THROWS_WITH(image_folder(folder.path(), {.size = side, .skip_unreadable = true}),
                      ContainsSubstring(": none of its 5 images is readable; the first: ") &&
                          ContainsSubstring("apple/x.png: is neither"));
}

TEST_CASE("a folder without images, a single class and no folder at all are errors in one sentence") {
    const temporary_folder folder;
    const auto open = [&] { return image_folder(folder.path(), {.size = side}); };
    CHECK_THROWS_AS(image_folder(folder / "nothing"), data_error);
    CHECK_THROWS_WITH(image_folder(folder / "nothing"),
                      (folder / "nothing").string() + ": cannot be read (No such file or directory)");
    CHECK_THROWS_WITH(open(), folder.path().string() + ": has 0 folders of classes, expected at least 2");
    put(folder / "one/x.png", "rgb.png");
    CHECK_THROWS_WITH(open(), ContainsSubstring("has 1 folders of classes, expected at least 2"));
    idx_files::write(folder / "two/x.txt", {'x'});
    CHECK_THROWS_WITH(
        open(), (folder / "two").string() + ": holds no images, expected files named *.jpg, *.jpeg or *.png");
    CHECK_THROWS_AS(image_folder(folder.path(), {.size = 0}), argument_error);
    CHECK_THROWS_AS(image_folder(folder.path(), {.size = std::size_t{1} << 32}), argument_error);
}

TEST_CASE("the numbers of the classes can be given, so that two parts of a set agree") {
    const temporary_folder folder;
    write_tree(folder);
    const auto open = [&](std::vector<std::string> names) {
        return image_folder(folder.path(), {.size = side, .class_names = std::move(names)});
    };
    const auto data = open({"apple", "bird", "cat"});
    CHECK(data.classes() == 3);
    CHECK(data.target(0) == 0);
    CHECK(data.target(1) == 2);
    CHECK_THROWS_WITH(open({"apple", "bird"}),
                      (folder / "cat").string() + ": is none of the 2 classes: apple to bird");
}

TEST_CASE("names that are no UTF-8 are names like any other") {
    const temporary_folder folder;
    write_tree(folder);
    put(folder / "caf\xE9/\xFF.png", "rgb.png");
    const image_folder data(folder.path(), {.size = side});
    CHECK(data.size() == 5);
    CHECK(data.class_names()[1] == "caf\xE9");
}

TEST_CASE("a link to a class that leads nowhere is an error that names it") {
    const temporary_folder folder;
    write_tree(folder);
    std::filesystem::create_symlink(folder / "elsewhere", folder / "bird");
    CHECK_THROWS_AS(image_folder(folder.path(), {.size = side}), data_error);
    CHECK_THROWS_WITH(
        image_folder(folder.path(), {.size = side}),
        (folder / "bird").string() + ": leads nowhere, expected a file or the folder of a class");
    put(folder / "elsewhere/1.png", "rgb.png");
    CHECK(image_folder(folder.path(), {.size = side}).class_names() ==
          std::vector<std::string>{"apple", "bird", "cat", "elsewhere"});
}
