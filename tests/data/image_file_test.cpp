// SPDX-License-Identifier: MIT
#include "frostline/data/image_file.hpp"

#include "idx_files.hpp"
#include "image_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <numeric>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("resizing and cropping stays within a level of Pillow") {
    for (const auto& golden : image_files::all().at("squares")) {
        const std::string name = golden.at("file");
        const std::size_t size = golden.at("size");
        INFO(name << " to " << size);
        const auto expected = image_files::from_hexadecimal(golden.at("pixels"));
        const temporary_folder folder;
        idx_files::write(folder / name, image_files::bytes_of(name));
        std::vector<std::uint8_t> found(3 * size * size);
        read_image(folder / name, size, found);
        REQUIRE(found.size() == expected.size());
        int worst = 0, sum = 0;
        for (std::size_t index = 0; index < found.size(); ++index) {
            const int difference = std::abs(found[index] - expected[index]);
            worst = std::max(worst, difference);
            sum += difference;
        }
        // A decoding at a smaller scale averages in another way.
        const bool scaled = name == "large.jpg" && size == 8;
        CHECK(worst <= (scaled ? 12 : 1));
        CHECK(static_cast<double>(sum) / static_cast<double>(found.size()) < (scaled ? 1.0 : 0.3));
    }
}

TEST_CASE("the extension says that a file is an image, in any case, and its bytes say which kind") {
    for (const char* name : {"a.jpg", "b.JPEG", "c.d.Png", "n/.x.JPG"}) CHECK(has_image_extension(name));
    for (const char* name : {"a.jpg.txt", "jpg", ".png", "a.gif", "a"})
        CHECK_FALSE(has_image_extension(name));

    rgb_image image;
    decode_image(image_files::bytes_of("rgb.png"), "x.jpg", 0, image);
    CHECK(image_files::difference(image, "rgb.png") == 0);
    decode_image(image_files::bytes_of("grey.jpg"), "x.png", 0, image);
    CHECK(image_files::difference(image, "grey.jpg") <= 1);
    for (const char* text : {"", "\xFF", "a text that calls itself .jpg"}) {
        const std::string bytes = text;
        CHECK_THROWS_WITH(decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                                       "x.jpg", 0, image),
                          "x.jpg: is neither a JPEG nor a PNG image");
    }
}

TEST_CASE("a file that cannot be read is an error that names it, also where its name is no UTF-8") {
    const temporary_folder folder;
    std::vector<std::uint8_t> pixels(3 * 4 * 4);
    CHECK_THROWS_WITH(read_image(folder / "nothing.jpg", 4, pixels),
                      (folder / "nothing.jpg").string() + ": cannot be opened (No such file or directory)");
    std::filesystem::create_directory(folder / "folder.jpg");
    CHECK_THROWS_WITH(read_image(folder / "folder.jpg", 4, pixels),
                      (folder / "folder.jpg").string() + ": cannot be read (Is a directory)");
    const std::string name = "caf\xE9.png";
    idx_files::write(folder / name, image_files::bytes_of("rgb.png"));
    CHECK_NOTHROW(read_image(folder / name, 4, pixels));
    idx_files::write(folder / name, image_files::cut(image_files::bytes_of("rgb.png"), 0.5));
    CHECK_THROWS_WITH(read_image(folder / name, 4, pixels), ContainsSubstring(name + ": is no readable PNG"));
}

TEST_CASE("a file larger than the first read is read whole") {
    const temporary_folder folder;
    auto bytes = image_files::bytes_of("baseline.jpg");
    std::vector<std::uint8_t> expected(3 * 8 * 8), found(3 * 8 * 8);
    idx_files::write(folder / "x.jpg", bytes);
    read_image(folder / "x.jpg", 8, expected);
    // A comment of 60,000 bytes behind the first marker, four times.
    for (int again = 0; again < 4; ++again) {
        image_files::byte_string comment(60'002, 'x');
        comment[0] = 0xFF;
        comment[1] = 0xFE;
        comment[2] = 60'000 >> 8;
        comment[3] = 60'000 & 255;
        bytes.insert(bytes.begin() + 2, comment.begin(), comment.end());
    }
    idx_files::write(folder / "x.jpg", bytes);
    read_image(folder / "x.jpg", 8, found);
    CHECK(found == expected);
}
