// SPDX-License-Identifier: MIT
#include "frostline/io/npy.hpp"

#include "io_files.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A file of version 1 with this header and data of so many zeros.
std::string file(const std::string& header, std::size_t data) {
    std::string text("\x93NUMPY\x01\x00", 8);
    text += static_cast<char>(header.size() & 0xFF);
    text += static_cast<char>(header.size() >> 8);
    return text + header + std::string(data, '\0');
}

std::string rejection(const std::string& text) {
    try {
        (void)read_npy_from<float>(io_files::bytes_of_text(text), "name");
    } catch (const data_error& found) {
        return found.what();
    }
    return "no data_error";
}

const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

std::string changed(const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
}

template <class T>
void round_trip(const std::vector<std::size_t>& shape, const std::vector<T>& values) {
    const temporary_folder folder;
    const auto path = folder / "array.npy";
    write_npy<T>(path, shape, values);
    CHECK(folder.files() == 1);
    CHECK((std::filesystem::file_size(path) - values.size() * sizeof(T)) % 64 == 0);
    const auto found = read_npy<T>(path);
    CHECK(found.shape == shape);
    CHECK(std::vector<T>(found.values.begin(), found.values.end()) == values);
}

}  // namespace

TEST_CASE("what is written as npy is read again, of every type and rank") {
    round_trip<float>({2, 1, 3}, {1, 2, 3, 4, 5, -6.5f});
    round_trip<double>({}, {0.1});
    round_trip<std::int64_t>({3}, {-1, 0, std::int64_t{1} << 60});
    round_trip<std::uint8_t>({2, 2}, {0, 1, 2, 255});
    round_trip<float>({0, 7}, {});
}

TEST_CASE("a tensor of npy keeps its shape, images without channels have one, and features are channels") {
    const temporary_folder folder;
    const auto path = folder / "array.npy";
    tensor<float> x;
    resize(x, 2, {3, 1, 2});
    for (std::size_t index = 0; index < x.size(); ++index) x.data()[index] = static_cast<float>(index);
    write_npy(path, x);
    CHECK((read_npy_tensor<float>(path) == x));
    write_npy<float>(path, {2, 6}, {x.data(), x.size()});
    const auto rows = read_npy_tensor<float>(path);
    CHECK(samples_of(rows) == 2);
    CHECK(shape_of(rows) == sample_shape{1, 1, 6});
    CHECK(rows(1, 0, 0, 5) == 11);
    write_npy<float>(path, {2, 3, 2}, {x.data(), x.size()});
    CHECK(shape_of(read_npy_tensor<float>(path)) == sample_shape{3, 2, 1});
    write_npy<float>(path, {1, 1, 2, 2, 3}, {x.data(), x.size()});
    CHECK_THROWS_WITH(read_npy_tensor<float>(path), ContainsSubstring("[1, 1, 2, 2, 3], expected 2 to 4"));
    CHECK_THROWS_AS(write_npy<float>(path, {5}, std::vector<float>(4)), shape_error);
}

TEST_CASE("npy as NumPy writes it is read: all versions, one dimension, spaces") {
    CHECK(rejection(file(good + "   \n", 24)) == "no data_error");
    CHECK(rejection(file(changed("(2, 3), ", "(6,)"), 24)) == "no data_error");
    CHECK(rejection(file("{'shape':(),'fortran_order':False,'descr':'<f4'}", 4)) == "no data_error");
    std::string second = file(good, 24);
    second[6] = 2;
    second.insert(10, std::string(2, '\0'));
    CHECK(rejection(second) == "no data_error");
    second[6] = 3;
    CHECK(rejection(second) == "no data_error");
}

TEST_CASE("npy that cannot be is refused by the field") {
    CHECK(rejection("PK") == "name: does not start as a file of NumPy's does");
    CHECK(rejection(file(good, 24).substr(0, 9)) == "name: ends inside its header");
    CHECK(rejection(file(good, 24).substr(0, 30)) ==
          "name: the length of its header is 59 bytes, but only 20 follow");
    std::string fourth = file(good, 24);
    fourth[6] = 4;
    CHECK(rejection(fourth) == "name: is of version 4, expected 1, 2 or 3");
    CHECK(rejection(file(changed("<f4", "<f8"), 24)) == "name: descr is '<f8', expected '<f4'");
    CHECK(rejection(file(changed("<f4", ">f4"), 24)) == "name: descr is '>f4', expected '<f4'");
    CHECK(rejection(file(changed("False", "True"), 24)) == "name: fortran_order is True, expected False");
    CHECK_THAT(rejection(file(changed("False", "0"), 24)), ContainsSubstring("expected True or False"));
    CHECK(rejection(file(good, 23)) == "name: has 23 bytes of data, but its shape [2, 3] needs 24");
    CHECK(rejection(file(good, 25)) == "name: has 25 bytes of data, but its shape [2, 3] needs 24");
    CHECK_THAT(rejection(file(changed("(2, 3)", "(4294967296, 4294967296)"), 24)),
               ContainsSubstring("larger than any memory"));
    CHECK_THAT(rejection(file(changed("(2, 3)", "(2, -3)"), 24)),
               ContainsSubstring("expected a whole number"));
    CHECK_THAT(rejection(file(changed("(2, 3)", "(18446744073709551616,)"), 24)),
               ContainsSubstring("expected a whole number"));
    CHECK_THAT(rejection(file(changed("'descr'", "'dtype'"), 24)),
               ContainsSubstring("expected a field named"));
    CHECK_THAT(rejection(file(changed("(2, 3), }", "(2, 3)} }"), 24)), ContainsSubstring("expected its end"));
    CHECK_THAT(rejection(file("{'descr': '<f4', 'descr': '<f4'}", 0)),
               ContainsSubstring("descr occurs twice"));
    CHECK(rejection(file("{'descr': '<f4', 'shape': ()}", 4)) ==
          "name: its header lacks the field fortran_order");
    CHECK_THAT(rejection(file("{'descr': '<f4", 4)), ContainsSubstring("at the end of a string"));
}
