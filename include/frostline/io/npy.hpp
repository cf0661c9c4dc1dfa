// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/io/element_type.hpp"
#include "frostline/io/whole_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// An array of any rank, row-major.
template <class T>
struct npy_array {
    std::vector<std::size_t> shape;  ///< empty for a single number
    aligned_vector<T> values;
};

namespace detail {

inline constexpr std::string_view npy_magic("\x93NUMPY", 6);

/// Reads the Python dictionary in the header of an npy file, of which NumPy writes only {'descr': '<f4',
/// 'fortran_order': False, 'shape': (3, 4), }.
class npy_header {
public:
    npy_header(std::string_view text, std::string_view file) : rest_(text), file_(file) {
        take('{');
        while (!taken('}')) {
            const auto key = quoted();
            take(':');
            const auto once = [&](const auto& field) {
                require<data_error>(!field.has_value(), file_, ": the field ", key,
                                    " occurs twice in its header");
            };
            if (key == "descr") {
                once(descr_);
                descr_ = quoted();
            } else if (key == "fortran_order") {
                once(fortran_order_);
                fortran_order_ = boolean();
            } else if (key == "shape") {
                once(shape_);
                shape_ = tuple();
            } else {
                fail("a field named descr, fortran_order or shape");
            }
            if (!taken(',')) {
                take('}');
                break;
            }
        }
        skip_spaces();
        if (!rest_.empty()) fail("its end");
        require<data_error>(descr_ && fortran_order_ && shape_, file_, ": its header lacks the field ",
                            !descr_           ? "descr"
                            : !fortran_order_ ? "fortran_order"
                                              : "shape");
    }

    std::string_view descr() const { return *descr_; }
    bool fortran_order() const { return *fortran_order_; }
    const std::vector<std::size_t>& shape() const { return *shape_; }

private:
    [[noreturn]] void fail(std::string_view expected) const {
        throw data_error(
            sentence(file_, ": its header goes on with \"", rest_.substr(0, 20), "\", expected ", expected));
    }
    void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }
    bool taken(std::string_view word) {
        skip_spaces();
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    bool taken(char letter) { return taken(std::string_view(&letter, 1)); }
    void take(char letter) {
        if (!taken(letter)) fail(std::string_view(&letter, 1));
    }
    std::string_view quoted() {
        take('\'');
        const auto end = rest_.find('\'');
        if (end == rest_.npos) fail("a ' at the end of a string");
        const auto text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }
    bool boolean() {
        if (taken("True")) return true;
        if (!taken("False")) fail("True or False");
        return false;
    }
    std::vector<std::size_t> tuple() {
        std::vector<std::size_t> numbers;
        take('(');
        while (!taken(')')) {
            skip_spaces();
            std::size_t number = 0;
            const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
            if (problem != std::errc()) fail("a whole number of at least 0");
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            numbers.push_back(number);
            if (!taken(',')) {
                take(')');
                break;
            }
        }
        return numbers;
    }

    std::string_view rest_;
    std::string_view file_;
    std::optional<std::string_view> descr_;
    std::optional<bool> fortran_order_;
    std::optional<std::vector<std::size_t>> shape_;
};

}  // namespace detail

/// The array in bytes of NumPy's format npy, versions 1 to 3; `name` stands for the file in messages.
/// @throws data_error when they hold anything but one row-major array of T (float, double, std::int64_t or
/// std::uint8_t)
template <class T>
npy_array<T> read_npy_from(std::span<const std::byte> bytes, const std::string& name) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    require<data_error>(text.starts_with(detail::npy_magic), name,
                        ": does not start as a file of NumPy's does");
    constexpr std::size_t version_place = detail::npy_magic.size(), length_place = version_place + 2;
    const auto byte_at = [&](std::size_t place) {
        require<data_error>(place < bytes.size(), name, ": ends inside its header");
        return std::to_integer<std::size_t>(bytes[place]);
    };
    const std::size_t version = byte_at(version_place);
    require<data_error>(version >= 1 && version <= 3, name, ": is of version ", version,
                        ", expected 1, 2 or 3");
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    std::size_t length = 0;
    for (std::size_t place = length_bytes; place-- > 0;) length = length << 8 | byte_at(length_place + place);
    const std::size_t start = length_place + length_bytes;
    require<data_error>(length <= bytes.size() - start, name, ": the length of its header is ", length,
                        " bytes, but only ", bytes.size() - start, " follow");

    const detail::npy_header header(text.substr(start, length), name);
    const auto& format = format_of(element_type_of<T>());
    require<data_error>(header.descr() == format.npy, name, ": descr is '", header.descr(), "', expected '",
                        format.npy, "'");
    require<data_error>(!header.fortran_order(), name, ": fortran_order is True, expected False");
    const auto size = bytes_of(format.type, header.shape());
    require<data_error>(size.has_value(), name, ": shape ", shape_text(header.shape()),
                        " makes it larger than any memory");
    const auto data = bytes.subspan(start + length);
    require<data_error>(data.size() == *size, name, ": has ", data.size(), " bytes of data, but its shape ",
                        shape_text(header.shape()), " needs ", *size);
    npy_array<T> array{header.shape(), aligned_vector<T>(*size / sizeof(T))};
    if (*size > 0) std::memcpy(array.values.data(), data.data(), *size);
    return array;
}

/// Reads an array from a file of NumPy's. @throws data_error, see read_npy_from
template <class T>
npy_array<T> read_npy(const std::filesystem::path& path) {
    return read_npy_from<T>(read_whole_file(path), path.string());
}

/// Reads a tensor (samples, height, width, channels) from a file of NumPy's; (samples, height, width) has one
/// channel, and (samples, features) becomes (samples, 1, 1, features).
/// @throws data_error, also for another number of dimensions
template <class T>
tensor<T> read_npy_tensor(const std::filesystem::path& path) {
    auto [shape, values] = read_npy<T>(path);
    require<data_error>(shape.size() >= 2 && shape.size() <= 4, path.string(), ": shape is ",
                        shape_text(shape), ", expected 2 to 4 dimensions");
    if (shape.size() == 2) shape = {shape[0], 1, 1, shape[1]};
    if (shape.size() == 3) shape.push_back(1);
    tensor<T> result;
    result.storage() = std::move(values);
    resize(result, shape[0], {shape[1], shape[2], shape[3]});
    return result;
}

/// Writes a row-major array as numpy.load reads it. The file is replaced whole, or left as it was.
/// @throws shape_error when the shape has another number of elements, data_error when it cannot be written
template <class T>
void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               std::span<const T> values) {
    require<shape_error>(elements_of(shape) == values.size(), path.string(), ": has ", values.size(),
                         " elements, but its shape ", shape_text(shape), " needs ", elements_of(shape));
    std::string header =
        sentence("{'descr': '", format_of(element_type_of<T>()).npy, "', 'fortran_order': False, 'shape': (");
    for (const std::size_t extent : shape) header += std::to_string(extent) + ", ";
    header += "), }";
    // The data starts at a multiple of 64, and a line break ends the header.
    constexpr std::size_t before = detail::npy_magic.size() + 4, line = 64;
    header.resize((before + header.size() + 1 + line - 1) / line * line - before, ' ');
    header.back() = '\n';
    std::string start(detail::npy_magic);
    start += {1, 0, static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
    start += header;
    replace_file(path, std::array{std::as_bytes(std::span(std::as_const(start))), std::as_bytes(values)});
}

/// The same for a tensor: (samples, height, width, channels). @throws data_error
template <class T>
void write_npy(const std::filesystem::path& path, const tensor<T>& values) {
    write_npy<T>(path, {values.shape().begin(), values.shape().end()}, {values.data(), values.size()});
}

}  // namespace frostline
