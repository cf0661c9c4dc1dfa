// SPDX-License-Identifier: MIT
#include "frostline/data/idx.hpp"

#include "idx_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <functional>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;
using idx_files::byte_string;

namespace {

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const data_error& found) {
        return found.what();
    }
    return "no data_error";
}

/// The sentence for these bytes: the same, but for the name, from memory, a plain and a compressed file.
std::string rejection(const byte_string& bytes, bool as_images = true) {
    const temporary_folder folder;
    const auto plain = folder / "plain";
    const auto compressed = folder / "compressed.gz";
    idx_files::write(plain, bytes);
    idx_files::write_compressed(compressed, bytes);
    memory_bytes memory(std::as_bytes(std::span(bytes)), "name");
    const std::string found = message_of(
        [&] { as_images ? (void)read_idx_images_from(memory) : (void)read_idx_labels_from(memory); });
    for (const auto& path : {plain, compressed}) {
        const auto action = [&] { as_images ? (void)read_idx_images(path) : (void)read_idx_labels(path); };
        CHECK(message_of(action) == path.string() + found.substr(4));
    }
    return found;
}

}  // namespace

TEST_CASE("images and labels are read alike from plain and from compressed files") {
    const temporary_folder folder;
    const auto images = idx_files::images(3, 2, 5);
    const auto labels = idx_files::labels({2, 0, 1});
    idx_files::write(folder / "images", images);
    idx_files::write_compressed(folder / "images.gz", images);
    idx_files::write(folder / "labels", labels);
    idx_files::write_compressed(folder / "labels.gz", labels);
    for (const std::string ending : {"", ".gz"}) {
        const auto data = load_idx(folder / ("images" + ending), folder / ("labels" + ending), 3);
        CHECK(data.size() == 3);
        CHECK(data.shape() == sample_shape{2, 5, 1});
        CHECK(data.classes() == 3);
        CHECK(data.target(0) == 2);
        CHECK(data.target(2) == 1);
        std::vector<float> pixels(10);
        data.read(2, std::span(pixels));
        CHECK(pixels[0] == 20.0f / 255.0f);
        CHECK(pixels[9] == 29.0f / 255.0f);
    }
}

TEST_CASE("data larger than one chunk arrive whole") {
    const temporary_folder folder;
    const auto bytes = idx_files::images(50, 300, 301);
    idx_files::write_compressed(folder / "images.gz", bytes);
    const auto images = read_idx_images(folder / "images.gz");
    CHECK(images.shape()[2] == 301);
    CHECK(std::equal(images.storage().begin(), images.storage().end(), bytes.begin() + 16, bytes.end()));
}

TEST_CASE("a missing file, and a folder in its place, are errors that name it") {
    const temporary_folder folder;
    CHECK_THAT(message_of([&] { read_idx_images(folder / "absent.gz"); }),
               ContainsSubstring("absent.gz: cannot be opened (No such file or directory)"));
    CHECK_THAT(message_of([&] { read_idx_images(folder.path()); }),
               ContainsSubstring(folder.path().string()));
    CHECK_THAT(message_of([&] { read_idx_images(folder.path()); }), ContainsSubstring("directory"));
}

TEST_CASE("a wrong magic number is named with the expected one") {
    CHECK(rejection(idx_files::labels({1, 2})) ==
          "name: the field magic is 0x00000801, expected 0x00000803 (unsigned bytes in 3 dimensions)");
    CHECK(rejection(idx_files::images(1, 1, 1), false) ==
          "name: the field magic is 0x00000803, expected 0x00000801 (unsigned bytes in 1 dimension)");
    CHECK_THAT(rejection(idx_files::header(0x0d03, {1, 1, 1})), ContainsSubstring("0x00000d03"));
    CHECK_THAT(rejection({'P', 'N', 'G', '!'}), ContainsSubstring("the field magic is 0x504e4721"));
}

TEST_CASE("a file that ends early, at any byte, says where") {
    const auto whole = idx_files::images(2, 2, 2);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto found = rejection({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
        CHECK_THAT(found, ContainsSubstring("ends"));
    }
    CHECK(rejection({}) == "name: ends inside the field magic, found 0 of its 4 bytes");
    CHECK(rejection(idx_files::header(0x803, {2, 2})) ==
          "name: ends inside the field width, found 0 of its 4 bytes");
    CHECK(rejection({whole.begin(), whole.end() - 1}) ==
          "name: ends after 7 of the 8 bytes of data that its header promises");
}

TEST_CASE("bytes after the data are an error") {
    auto bytes = idx_files::images(2, 2, 2);
    bytes.push_back(0);
    CHECK(rejection(bytes) ==
          "name: goes on after the 8 bytes of data that its header promises, expected its end");
}

TEST_CASE("an empty set and empty images are errors") {
    CHECK(rejection(idx_files::header(0x803, {0, 28, 28})) ==
          "name: the field samples is 0, expected at least 1");
    CHECK(rejection(idx_files::header(0x803, {1, 0, 28})) ==
          "name: the field height is 0, expected at least 1");
    CHECK(rejection(idx_files::header(0x803, {1, 28, 0})) ==
          "name: the field width is 0, expected at least 1");
    CHECK(rejection(idx_files::labels({}), false) == "name: the field samples is 0, expected at least 1");
}

TEST_CASE("dimensions that no memory holds are rejected without allocating them") {
    CHECK_THAT(
        rejection(idx_files::header(0x803, {0xffffffff, 0xffffffff, 0xffffffff})),
        ContainsSubstring("the field height is 4294967295, which makes the array larger than any memory"));
    CHECK_THAT(rejection(idx_files::header(0x803, {0x80000000, 0x80000000, 4})),
               ContainsSubstring("the field width"));
    // 4 EiB fit the arithmetic; the data never arrive.
    CHECK_THAT(rejection(idx_files::header(0x803, {0x80000000, 0x80000000, 1})),
               ContainsSubstring("ends after 0"));
    CHECK_THAT(rejection(idx_files::header(0x801, {0xffffffff}), false),
               ContainsSubstring("ends after 0 of the 4294967295 bytes"));
}

TEST_CASE("a compressed file that is cut off is an error at every length") {
    const temporary_folder folder;
    idx_files::write_compressed(folder / "whole.gz", idx_files::images(4, 5, 5));
    const auto whole = idx_files::read(folder / "whole.gz");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        idx_files::write(folder / "cut.gz",
                         {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
        CHECK_THAT(message_of([&] { read_idx_images(folder / "cut.gz"); }), ContainsSubstring("cut.gz: "));
    }
    // All data are there, and half of the check sum.
    idx_files::write(folder / "cut.gz", {whole.begin(), whole.end() - 6});
    CHECK_THAT(message_of([&] { read_idx_images(folder / "cut.gz"); }),
               ContainsSubstring("cut.gz: cannot be read (unexpected end of file)"));
}

TEST_CASE("a compressed file with a wrong check sum or damaged data is an error") {
    const temporary_folder folder;
    idx_files::write_compressed(folder / "damaged.gz", idx_files::images(4, 5, 5));
    const auto whole = idx_files::read(folder / "damaged.gz");
    auto damaged = whole;
    damaged[damaged.size() - 8] ^= 1;
    idx_files::write(folder / "damaged.gz", damaged);
    CHECK_THAT(
        message_of([&] { read_idx_images(folder / "damaged.gz"); }),
        ContainsSubstring("damaged.gz: cannot be read (") && ContainsSubstring("incorrect data check"));
    // The few bits that fill up the last byte of the compressed data mean nothing: then the images are whole.
    const auto expected = idx_files::images(4, 5, 5);
    std::size_t rejected = 0;
    for (std::size_t place = 10; place < whole.size(); ++place) {
        damaged = whole;
        damaged[place] ^= 0x10;
        idx_files::write(folder / "damaged.gz", damaged);
        try {
            const auto images = read_idx_images(folder / "damaged.gz");
            CHECK(std::equal(images.storage().begin(), images.storage().end(), expected.begin() + 16,
                             expected.end()));
        } catch (const data_error& found) {
            CHECK_THAT(found.what(), ContainsSubstring("damaged.gz: "));
            ++rejected;
        }
    }
    CHECK(rejected + 2 > whole.size() - 10);
}

TEST_CASE("images and labels that do not belong together are errors that name the file") {
    const temporary_folder folder;
    idx_files::write(folder / "images", idx_files::images(3, 2, 2));
    idx_files::write(folder / "two", idx_files::labels({0, 1}));
    idx_files::write(folder / "high", idx_files::labels({0, 10, 1}));
    CHECK(message_of([&] { load_idx(folder / "images", folder / "two"); }) ==
          (folder / "two").string() + ": the field samples is 2, expected 3 as in " +
              (folder / "images").string());
    CHECK(message_of([&] { load_idx(folder / "images", folder / "high"); }) ==
          (folder / "high").string() + ": label 1 is 10, expected less than 10, the number of classes");
    CHECK(load_idx(folder / "images", folder / "high", 11).target(1) == 10);
}
