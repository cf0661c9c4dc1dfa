// SPDX-License-Identifier: MIT
#include "frostline/data/jpeg.hpp"

#include "image_files.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

rgb_image decoded(const image_files::byte_string& bytes, std::size_t shorter_side = 0) {
    rgb_image image;
    decode_jpeg(bytes, "x.jpg", shorter_side, image);
    return image;
}

/// Where the frame header's height and width lie.
std::size_t size_field(const image_files::byte_string& bytes) {
    for (std::size_t at = 0; at + 9 < bytes.size(); ++at)
        if (bytes[at] == 0xFF && (bytes[at + 1] == 0xC0 || bytes[at + 1] == 0xC2)) return at + 5;
    throw std::runtime_error("no frame header");
}

/// A grey progressive image of two scans, the second of them repeated.
image_files::byte_string with_scans(std::size_t scans) {
    std::vector<jpeg_scan_info> script(2);
    script[0] = {.comps_in_scan = 1, .component_index = {0}, .Ss = 0, .Se = 0, .Ah = 0, .Al = 0};
    script[1] = {.comps_in_scan = 1, .component_index = {0}, .Ss = 1, .Se = 63, .Ah = 0, .Al = 0};
    jpeg_error_mgr errors{};
    jpeg_compress_struct info{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &memory, &size);
    info.image_width = info.image_height = 16;
    info.input_components = 1;
    info.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    info.scan_info = script.data();
    info.num_scans = 2;
    jpeg_start_compress(&info, TRUE);
    std::vector<JSAMPLE> row(16);
    for (int line = 0; line < 16; ++line) {
        for (std::size_t i = 0; i < row.size(); ++i)
            row[i] = static_cast<JSAMPLE>(line * 16 + static_cast<int>(i * 7 % 16));
        JSAMPROW source = row.data();
        jpeg_write_scanlines(&info, &source, 1);
    }
    jpeg_finish_compress(&info);
    image_files::byte_string bytes(memory, memory + size);
    jpeg_destroy_compress(&info);
    std::free(memory);

    // The last Huffman table begins the second scan, and the last two bytes end the image.
    std::size_t begin = bytes.size() - 2;
    while (!(bytes[begin] == 0xFF && bytes[begin + 1] == 0xC4)) --begin;
    const image_files::byte_string scan(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end() - 2);
    for (std::size_t more = 2; more < scans; ++more) bytes.insert(bytes.end() - 2, scan.begin(), scan.end());
    return bytes;
}

}  // namespace

TEST_CASE("JPEG images of every kind are decoded as Pillow does") {
    for (const char* name : {"baseline.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"}) {
        INFO(name);
        // Another version of libjpeg may round another way.
        CHECK(image_files::difference(decoded(image_files::bytes_of(name)), name) <= 1);
    }
}

TEST_CASE("a JPEG image is decoded smaller while its shorter side stays four times what is wanted") {
    const auto large = image_files::bytes_of("large.jpg");  // 96 x 128
    const std::vector<std::pair<std::size_t, std::size_t>> heights = {{0, 96}, {13, 96}, {12, 48}, {7, 48},
                                                                      {6, 24}, {4, 24},  {3, 12},  {1, 12}};
    for (const auto& [wanted, height] : heights) {
        INFO("shorter side of " << wanted);
        const auto image = decoded(large, wanted);
        CHECK(image.height == height);
        CHECK(image.width == height * 4 / 3);
        CHECK(image.pixels.size() == 3 * image.height * image.width);
    }
}

TEST_CASE("a JPEG image that is cut off anywhere is an error that names the file") {
    for (const char* name : {"baseline.jpg", "progressive.jpg", "cmyk.jpg"}) {
        const auto bytes = image_files::bytes_of(name);
        for (const double share : {0.0, 0.001, 0.05, 0.3, 0.6, 0.95}) {
            INFO(name << " cut to " << share);
            CHECK_THROWS_AS(decoded(image_files::cut(bytes, share)), data_error);
        }
    }
    CHECK_THROWS_WITH(decoded(image_files::cut(image_files::bytes_of("baseline.jpg"), 0.9)),
                      ContainsSubstring("x.jpg: is no readable JPEG image (Premature end of JPEG file"));
}

TEST_CASE("damage in the middle of a JPEG image is an error") {
    auto bytes = image_files::bytes_of("baseline.jpg");
    for (std::size_t index = bytes.size() * 3 / 4; index < bytes.size() * 7 / 8; ++index) bytes[index] = 0xFF;
    CHECK_THROWS_AS(decoded(bytes), data_error);
}

TEST_CASE("bytes behind the end of a JPEG image do no harm") {
    auto bytes = image_files::bytes_of("baseline.jpg");
    bytes.insert(bytes.end(), 100, 7);
    CHECK(image_files::difference(decoded(bytes), "baseline.jpg") <= 1);
}

TEST_CASE("a JPEG image of endless scans is refused before they are decoded") {
    const auto pixels = decoded(with_scans(2)).pixels;
    CHECK(decoded(with_scans(500)).pixels == pixels);
    CHECK_THROWS_AS(decoded(with_scans(502)), data_error);
    CHECK_THROWS_WITH(decoded(with_scans(30'000)), "x.jpg: is no readable JPEG image (more than 500 scans)");
}

TEST_CASE("what is no JPEG image is an error, whatever it is") {
    const std::string text = "a text that calls itself .jpg";
    CHECK_THROWS_WITH(decoded({text.begin(), text.end()}),
                      "x.jpg: is no readable JPEG image (Not a JPEG file: starts with 0x61 0x20)");
    CHECK_THROWS_AS(decoded({}), data_error);
    CHECK_THROWS_AS(decoded(image_files::bytes_of("rgb.png")), data_error);
}

TEST_CASE("a JPEG header that promises a huge image is refused before memory is taken") {
    auto bytes = image_files::bytes_of("baseline.jpg");
    const std::size_t field = size_field(bytes);
    bytes[field] = bytes[field + 2] = 0xFF;
    CHECK_THROWS_WITH(decoded(bytes), ContainsSubstring("x.jpg: is an image of 65317 x 65303 pixels") &&
                                          ContainsSubstring("at most 100000000 pixels"));
}
