// SPDX-License-Identifier: MIT
#include "frostline/data/cifar10.hpp"

#include "idx_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace frostline;
using Catch::Matchers::ContainsSubstring;
using idx_files::byte_string;

namespace {

constexpr std::size_t record_size = 3073;

/// Image i has label i; its element e (planar: red, green, blue) is e + 7 * i modulo 251.
byte_string records(std::size_t count) {
    byte_string bytes;
    for (std::size_t index = 0; index < count; ++index) {
        bytes.push_back(static_cast<std::uint8_t>(index));
        for (std::size_t element = 0; element < 3072; ++element)
            bytes.push_back(static_cast<std::uint8_t>((element + 7 * index) % 251));
    }
    return bytes;
}

struct read_records {
    std::vector<std::uint8_t> pixels;
    std::vector<std::int32_t> labels;

    read_records(const byte_string& bytes, std::size_t count) : pixels(count * 3072), labels(count) {
        memory_bytes source(std::as_bytes(std::span(bytes)));
        read_cifar10_records(source, pixels, labels);
    }
};

}  // namespace

TEST_CASE("CIFAR-10's planes of red, green and blue become the channels of each pixel") {
    const read_records read(records(3), 3);
    CHECK(read.labels == std::vector<std::int32_t>{0, 1, 2});
    std::size_t wrong = 0;
    for (std::size_t index = 0; index < 3; ++index)
        for (std::size_t place = 0; place < 1024; ++place)
            for (std::size_t channel = 0; channel < 3; ++channel)
                wrong += read.pixels[index * 3072 + place * 3 + channel] !=
                         (channel * 1024 + place + 7 * index) % 251;
    CHECK(wrong == 0);
}

TEST_CASE("CIFAR-10 files become one data set in their order, plain or compressed") {
    const temporary_folder folder;
    idx_files::write(folder / "one.bin", records(2));
    idx_files::write_compressed(folder / "two.bin.gz", records(2));
    const std::vector<std::filesystem::path> files = {folder / "one.bin", folder / "two.bin.gz"};
    const auto data = load_cifar10(files, 2);
    CHECK(data.size() == 4);
    CHECK(data.shape() == sample_shape{32, 32, 3});
    CHECK(data.classes() == 10);
    for (std::size_t index = 0; index < 4; ++index)
        CHECK(data.target(index) == static_cast<std::int32_t>(index % 2));
    std::vector<float> first(3072), third(3072);
    data.read(1, std::span(first));
    data.read(3, std::span(third));
    CHECK(first == third);
    CHECK(first[1] == static_cast<float>((1024 + 7) % 251) / 255);
}

TEST_CASE("a CIFAR-10 file that is cut off, too long or wrongly labelled is an error in one sentence") {
    auto bytes = records(3);
    CHECK_THROWS_AS(read_records(bytes, 2), data_error);
    CHECK_THROWS_WITH(read_records(bytes, 2),
                      "bytes in memory: goes on after 6146 bytes, expected its end: 2 images of 3073 bytes");
    CHECK_THROWS_WITH(read_records(bytes, 4),
                      "bytes in memory: ends after 9219 bytes, expected 12292: 4 images of 3073 bytes");
    CHECK_THROWS_WITH(read_records({}, 1),
                      "bytes in memory: ends after 0 bytes, expected 3073: 1 images of 3073 bytes");
    bytes.pop_back();
    CHECK_THROWS_WITH(read_records(bytes, 3), ContainsSubstring("ends after 9218 bytes, expected 9219"));
    bytes.push_back(0);
    bytes[2 * record_size] = 10;
    CHECK_THROWS_AS(read_records(bytes, 3), data_error);
    CHECK_THROWS_WITH(read_records(bytes, 3),
                      "bytes in memory: the label of image 2 is 10, expected less than 10");
}

TEST_CASE("a missing CIFAR-10 file is named, and so is a compressed one that is cut off") {
    const temporary_folder folder;
    const std::vector<std::filesystem::path> missing = {folder / "data_batch_1.bin"};
    CHECK_THROWS_WITH(load_cifar10(missing, 1),
                      missing[0].string() + ": cannot be opened (No such file or directory)");
    const std::vector<std::filesystem::path> cut = {folder / "cut.bin.gz"};
    idx_files::write_compressed(cut[0], records(2));
    auto bytes = idx_files::read(cut[0]);
    bytes.resize(bytes.size() / 2);
    idx_files::write(cut[0], bytes);
    CHECK_THROWS_WITH(load_cifar10(cut, 2), ContainsSubstring(cut[0].string() + ": cannot be read"));
}

TEST_CASE("the class names of CIFAR-10 are the ten lines of its file") {
    const temporary_folder folder;
    const auto write = [&](const std::string& text) {
        idx_files::write(folder / "batches.meta.txt", byte_string(text.begin(), text.end()));
        return read_cifar10_class_names(folder / "batches.meta.txt");
    };
    const auto names = write("a\nb\nc\nd\ne\nf\ng\nh\ni\ntruck\n\n");
    CHECK(names.size() == 10);
    CHECK(names.front() == "a");
    CHECK(names.back() == "truck");
    CHECK_THROWS_WITH(write("a\nb\n"), ContainsSubstring("holds 2 names of classes, expected 10"));
    CHECK_THROWS_AS(read_cifar10_class_names(folder / "nothing"), data_error);
}
