// SPDX-License-Identifier: MIT
#include "frostline/io/safetensors_file.hpp"
#include "frostline/io/safetensors_writer.hpp"

#include "io_files.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/temporary_folder.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;
using io_files::safetensors;

namespace {

std::string rejection(io_files::byte_array bytes) {
    try {
        const safetensors_file file(std::move(bytes), "name");
    } catch (const data_error& found) {
        return found.what();
    }
    return "no data_error";
}
std::string rejection(std::string_view header, std::size_t data) {
    return rejection(safetensors(header, data));
}

}  // namespace

TEST_CASE("what is written to safetensors is read again: every type, any shape, and the metadata") {
    const temporary_folder folder;
    const auto path = folder / "file.safetensors";
    const std::vector<float> floats{1.5f, -2, std::numeric_limits<float>::infinity()};
    const std::vector<std::uint8_t> bytes{0, 1, 255};
    const std::vector<double> doubles{0.1, 0.2};
    const std::vector<std::int64_t> count{-7};
    safetensors_writer writer;
    writer.add<std::uint8_t>("bytes", {3}, bytes);
    writer.add<float>("floats", {1, 3, 1}, floats);
    writer.add<double>("doubles \"quoted\" \u00e9", {2, 1}, doubles);
    writer.add<std::int64_t>("count", {}, count);
    writer.add<float>("none", {0, 4}, {});
    writer.set_metadata("epoch", "3");
    writer.set_metadata("epoch", "4");
    writer.write(path);
    CHECK(folder.files() == 1);

    const safetensors_file file(path);
    CHECK(file.metadata() == std::map<std::string, std::string, std::less<>>{{"epoch", "4"}});
    REQUIRE(file.arrays().size() == 5);
    const auto check = [&](const std::string& name, const std::vector<std::size_t>& shape,
                           const auto& values) {
        const stored_array* array = file.find(name);
        REQUIRE(array != nullptr);
        CHECK(array->shape == shape);
        auto found = values;
        std::fill(found.begin(), found.end(), 0);
        file.copy(*array, std::span(found));
        CHECK(found == values);
    };
    check("bytes", {3}, bytes);
    check("floats", {1, 3, 1}, floats);
    check("doubles \"quoted\" \u00e9", {2, 1}, doubles);
    check("count", {}, count);
    check("none", {0, 4}, std::vector<float>{});
    CHECK(file.find("nothing") == nullptr);
    for (const auto& array : file.arrays())
        CHECK(reinterpret_cast<std::uintptr_t>(array.bytes.data()) % format_of(array.type).bytes == 0);
}

TEST_CASE("an array of safetensors may start anywhere, and float32 and float64 become each other") {
    const safetensors_file file(
        safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"__metadata__":{}})",
                    5),
        "name");
    std::array<float, 1> single{};
    std::array<double, 1> twice{};
    file.copy(*file.find("b"), std::span<float>(single));
    file.copy(*file.find("b"), std::span<double>(twice));
    CHECK(single[0] > 0);
    CHECK(twice[0] == static_cast<double>(single[0]));
    CHECK_THROWS_WITH(file.copy(*file.find("a"), std::span<float>(single)),
                      "name: 'a' is uint8, expected float32 or float64");
    std::array<std::int64_t, 1> whole{};
    CHECK_THROWS_WITH(file.copy(*file.find("b"), std::span<std::int64_t>(whole)),
                      "name: 'b' is float32, expected int64");
    std::array<float, 2> two{};
    CHECK_THROWS_AS(file.copy(*file.find("b"), std::span<float>(two)), shape_error);
}

TEST_CASE("a header of safetensors that cannot be is refused by the field") {
    CHECK(rejection(io_files::bytes_of_text("1234567")) ==
          "name: ends inside the length of its header, found 7 of its 8 bytes");
    CHECK(rejection(safetensors("{}", 0, 3)) ==
          "name: the length of its header is 3 bytes, but only 2 follow");
    CHECK(rejection(safetensors("{}", 0, 100'000'001)) ==
          "name: the length of its header is 100000001 bytes, expected at most 100000000");
    CHECK_THAT(rejection(safetensors("{}", 0, ~std::uint64_t{0})),
               ContainsSubstring("18446744073709551615 bytes"));
    CHECK(rejection(R"({"a")", 0) == "name: its header is not JSON from byte 5 on");
    CHECK_THAT(rejection("{\"\xff\":1}", 0), ContainsSubstring("not JSON"));
    CHECK_THAT(rejection("", 0), ContainsSubstring("not JSON"));
    CHECK(rejection(R"({"a":1E2200})", 0) == "name: its header holds a number that is out of range");
    CHECK(rejection("[]", 0) == "name: its header is a JSON array, expected an object");
    CHECK_THAT(rejection(std::string(100'000, '['), 0), ContainsSubstring("nested deeper"));
    CHECK(rejection(R"({"a":{"dtype":"U8","shape":[[[1]]],"data_offsets":[0,1]}})", 1) ==
          "name: its header is nested deeper than a header is");
    CHECK(rejection(R"({"__metadata__":{"a":1}})", 0) ==
          "name: 'a' in __metadata__ is a JSON number, expected a string");
    CHECK(rejection(R"({"__metadata__":[]})", 0) == "name: __metadata__ is a JSON array, expected an object");
    CHECK(rejection("{}", 0) == "no data_error");
    CHECK(rejection("{}   ", 0) == "no data_error");
}

TEST_CASE("an array of safetensors that cannot be is refused by its name") {
    const auto entry = [](const char* dtype, const char* shape, const char* offsets, std::size_t data = 8) {
        return rejection(std::string(R"({"w":{"dtype":)") + dtype + R"(,"shape":)" + shape +
                             R"(,"data_offsets":)" + offsets + "}}",
                         data);
    };
    CHECK(entry("\"F32\"", "[2]", "[0,8]") == "no data_error");
    CHECK(entry("\"BF16\"", "[4]", "[0,8]") == "name: 'w': dtype is \"BF16\", expected F32, F64, I64 or U8");
    CHECK(entry("7", "[2]", "[0,8]") == "name: 'w': dtype is 7, expected F32, F64, I64 or U8");
    CHECK(entry("\"F32\"", "2", "[0,8]") == "name: 'w': shape is a JSON number, expected an array");
    CHECK(entry("\"F32\"", "[-2]", "[0,8]") ==
          "name: 'w': shape holds -2, expected whole numbers of at least 0");
    CHECK_THAT(entry("\"F32\"", "[2.0]", "[0,8]"), ContainsSubstring("shape holds 2.0"));
    CHECK_THAT(entry("\"F32\"", "[18446744073709551616]", "[0,8]"),
               ContainsSubstring("expected whole numbers"));
    CHECK(entry("\"F32\"", "[4294967296, 4294967296]", "[0,8]") ==
          "name: 'w': shape [4294967296, 4294967296] makes it larger than any memory");
    CHECK_THAT(entry("\"F32\"", "[4611686018427387906]", "[0,8]"),
               ContainsSubstring("larger than any memory"));
    CHECK(entry("\"F32\"", "[3]", "[0,8]") ==
          "name: 'w': data_offsets holds 8 bytes, but its shape [3] needs 12");
    CHECK(entry("\"F32\"", "[2]", "[0]") == "name: 'w': data_offsets holds 1 numbers, expected 2");
    CHECK(entry("\"F32\"", "[2]", "[8,0]") ==
          "name: 'w': data_offsets [8, 0] is no range of the 8 bytes behind the header");
    CHECK_THAT(entry("\"F32\"", "[2]", "[4,12]"), ContainsSubstring("no range of the 8 bytes"));
    CHECK(rejection(R"({"w":{"dtype":"F32","shape":[2]}})", 8) == "name: 'w' lacks the field data_offsets");
    CHECK(rejection(R"({"w":3})", 8) == "name: 'w' lacks the field shape");
    CHECK(rejection(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                    2) == "name: the name 'w' occurs twice in its header");
    CHECK_THAT(rejection(R"({"w":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1),
               ContainsSubstring("'dtype' occurs twice"));
}

TEST_CASE("every byte of safetensors belongs to one array") {
    const auto two = [](const char* first, const char* second, std::size_t data) {
        return rejection(std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + first +
                             R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                         data);
    };
    CHECK(two("[4,8]", "[0,4]", 8) == "no data_error");
    CHECK(two("[0,4]", "[2,6]", 6) == "name: 'b' overlaps 'a' by 2 bytes");
    CHECK(two("[0,4]", "[0,4]", 4) == "name: 'b' overlaps 'a' by 4 bytes");
    CHECK(two("[0,4]", "[5,9]", 9) == "name: the 1 bytes before 'b' belong to no array");
    CHECK(two("[1,5]", "[5,9]", 9) == "name: the 1 bytes before 'a' belong to no array");
    CHECK(two("[0,4]", "[4,8]", 10) == "name: its last 2 bytes belong to no array");
}

TEST_CASE(
    "a safetensors writer refuses a name that is taken, a shape of another size, and what is not UTF-8") {
    safetensors_writer writer;
    (void)writer.add<float>("a", {2});
    CHECK_THROWS_AS(writer.add<float>("a", {2}), argument_error);
    CHECK_THROWS_AS(writer.add<float>("__metadata__", {2}), argument_error);
    CHECK_THROWS_AS(writer.add<float>("b", {3}, std::vector<float>{1, 2}), shape_error);
    writer.set_metadata("key", "\xff");
    const temporary_folder folder;
    CHECK_THROWS_AS(writer.write(folder / "file"), argument_error);
    CHECK(folder.files() == 0);
}

TEST_CASE("a file that cannot be written or read is named, and leaves nothing behind") {
    const temporary_folder folder;
    safetensors_writer writer;
    CHECK_THROWS_WITH(writer.write(folder / "none" / "file"),
                      ContainsSubstring("none/file: cannot be written (No such"));
    std::filesystem::create_directories(folder / "taken" / "inside");
    CHECK_THROWS_WITH(writer.write(folder / "taken"), ContainsSubstring("taken: cannot be written ("));
    CHECK(folder.files() == 1);
    CHECK_THROWS_WITH(safetensors_file(folder / "absent"),
                      ContainsSubstring("absent: cannot be read (No such"));
    CHECK_THROWS_WITH(safetensors_file(folder / "taken"),
                      ContainsSubstring("taken: cannot be read (it is no"));

    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(safetensors_file(folder / "pipe"), ContainsSubstring("pipe: cannot be read (it is no"));
    std::filesystem::remove(folder / "pipe");

    CHECK_THROWS_WITH(writer.write("/dev/null"), "/dev/null: cannot be written (it is no regular file)");
    CHECK_THROWS_AS(check_replaceable("/dev/null"), data_error);
    CHECK(std::filesystem::is_character_file("/dev/null"));

    // Where no new file can be made, what was there stays.
    const auto path = folder / "file";
    writer.write(path);
    const auto size = std::filesystem::file_size(path);
    (void)writer.add<float>("a", {2});
    std::filesystem::create_directories(folder / ("file." + std::to_string(::getpid()) + ".part"));
    CHECK_THROWS_AS(writer.write(path), data_error);
    CHECK(std::filesystem::file_size(path) == size);
}

TEST_CASE("a disk that fills up leaves the file that was there, and no part of the new one") {
    const temporary_folder folder;
    const auto path = folder / "file";
    safetensors_writer writer;
    writer.write(path);
    const auto size = std::filesystem::file_size(path);
    (void)writer.add<float>("a", {10'000});
    {
        const file_size_limit limit(4096);
        CHECK_THROWS_WITH(writer.write(path), ContainsSubstring("file: cannot be written (File too large"));
    }
    CHECK(std::filesystem::file_size(path) == size);
    CHECK(folder.files() == 1);
}

TEST_CASE("a link to a file goes on leading to it when it is written") {
    const temporary_folder folder;
    safetensors_writer writer;
    writer.write(folder / "file");
    std::filesystem::create_symlink("file", folder / "link");
    const auto size = std::filesystem::file_size(folder / "file");
    (void)writer.add<float>("a", {2});
    check_replaceable(folder / "link");
    writer.write(folder / "link");
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(std::filesystem::file_size(folder / "file") > size);
    CHECK(folder.files() == 2);
    // Also to one that is still to come, by another link.
    std::filesystem::create_directories(folder / "disk");
    std::filesystem::create_symlink("disk/later", folder / "next");
    std::filesystem::create_symlink(folder / "next", folder / "newest");
    writer.write(folder / "newest");
    CHECK(std::filesystem::is_symlink(folder / "newest"));
    CHECK(std::filesystem::is_regular_file(folder / "disk" / "later"));
}
