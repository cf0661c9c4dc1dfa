// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/io/element_type.hpp"
#include "frostline/io/whole_file.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// An array in a file that is held in memory.
struct stored_array {
    std::string name;
    element_type type = element_type::float32;
    std::vector<std::size_t> shape;    ///< empty for a single number
    std::span<const std::byte> bytes;  ///< little-endian, row-major; may start anywhere

    std::size_t size() const { return elements_of(shape); }
};

/// A file in the format safetensors (github.com/huggingface/safetensors, format of version 0.3): the length
/// of the header in 8 bytes, a header in JSON, and the arrays one behind the other. Everything is checked
/// when it is opened.
class safetensors_file {
public:
    /// @throws data_error that names the file, the array and the field for whatever is not in order
    explicit safetensors_file(const std::filesystem::path& path)
        : safetensors_file(read_whole_file(path), path.string()) {}

    /// A file that is in memory already; `name` stands for it in messages. @throws data_error
    safetensors_file(aligned_vector<std::byte> bytes, std::string name)
        : name_(std::move(name)), bytes_(std::move(bytes)) {
        constexpr std::size_t length_bytes = 8, most = 100'000'000;  // as the reference reader has it
        expect(bytes_.size() >= length_bytes, "ends inside the length of its header, found ", bytes_.size(),
               " of its 8 bytes");
        std::uint64_t length = 0;
        std::memcpy(&length, bytes_.data(), length_bytes);
        const auto behind = std::span<const std::byte>(bytes_).subspan(length_bytes);
        expect(length <= most, "the length of its header is ", length, " bytes, expected at most ", most);
        expect(length <= behind.size(), "the length of its header is ", length, " bytes, but only ",
               behind.size(), " follow");
        const auto header = behind.first(static_cast<std::size_t>(length));
        const auto data = behind.subspan(header.size());
        read_header(parse(header), data);
        check_layout(data.size());
        for (std::size_t index = 0; index < arrays_.size(); ++index) places_[arrays_[index].name] = index;
    }

    safetensors_file(const safetensors_file&) = delete;
    safetensors_file& operator=(const safetensors_file&) = delete;
    safetensors_file(safetensors_file&&) = default;
    safetensors_file& operator=(safetensors_file&&) = default;

    const std::string& name() const { return name_; }
    /// The whole file.
    std::span<const std::byte> bytes() const { return bytes_; }
    /// The strings of `__metadata__`.
    const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
    /// In the order of their bytes.
    const std::vector<stored_array>& arrays() const { return arrays_; }

    /// Null where there is none of this name.
    const stored_array* find(std::string_view array) const {
        const auto place = places_.find(array);
        return place == places_.end() ? nullptr : &arrays_[place->second];
    }

    /// Copies the elements of an array of this file; float32 and float64 become each other.
    /// @throws data_error when it has another type
    /// @throws shape_error when it has not as many elements as `values`
    template <class T>
    void copy(const stored_array& array, std::span<T> values) const {
        require<shape_error>(array.size() == values.size(), name_, ": '", array.name, "' has ", array.size(),
                             " elements, expected ", values.size());
        if (array.type == element_type_of<T>()) {
            if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
            return;
        }
        if constexpr (std::floating_point<T>) {
            if (array.type == element_type::float32) return convert<float>(array, values);
            if (array.type == element_type::float64) return convert<double>(array, values);
        }
        expect(false, "'", array.name, "' is ", format_of(array.type).name, ", expected ",
               std::floating_point<T> ? "float32 or float64" : format_of(element_type_of<T>()).name);
    }

private:
    using json = nlohmann::json;

    template <class... Parts>
    void expect(bool condition, const Parts&... parts) const {
        require<data_error>(condition, name_, ": ", parts...);
    }

    template <class Source, class T>
    static void convert(const stored_array& array, std::span<T> values) {
        for (std::size_t index = 0; index < values.size(); ++index) {
            Source value;
            std::memcpy(&value, array.bytes.data() + index * sizeof(Source), sizeof(Source));
            values[index] = static_cast<T>(value);
        }
    }

    // The parser would take the last of several equal names in silence, and any depth.
    json parse(std::span<const std::byte> header) const {
        std::vector<std::set<std::string>> names;
        const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
            switch (event) {
                case json::parse_event_t::object_start:
                    names.emplace_back();
                    [[fallthrough]];
                case json::parse_event_t::array_start:
                    expect(depth <= 2, "its header is nested deeper than a header is");
                    break;
                case json::parse_event_t::object_end:
                    names.pop_back();
                    break;
                case json::parse_event_t::key: {
                    const auto& key = parsed.get_ref<const std::string&>();
                    expect(names.back().insert(key).second, "the name '", key,
                           "' occurs twice in its header");
                    break;
                }
                default:
                    break;
            }
            return true;
        };
        const auto* text = reinterpret_cast<const char*>(header.data());
        try {
            json parsed = json::parse(text, text + header.size(), check);
            expect(parsed.is_object(), "its header is a JSON ", parsed.type_name(), ", expected an object");
            return parsed;
        } catch (const json::parse_error& problem) {
            throw data_error(sentence(name_, ": its header is not JSON from byte ", problem.byte, " on"));
        } catch (const json::out_of_range&) {
            throw data_error(sentence(name_, ": its header holds a number that is out of range"));
        }
    }

    void read_header(const json& header, std::span<const std::byte> data) {
        for (const auto& [name, entry] : header.items()) {
            if (name != "__metadata__") {
                arrays_.push_back(read_entry(name, entry, data));
                continue;
            }
            expect(entry.is_object(), "__metadata__ is a JSON ", entry.type_name(), ", expected an object");
            for (const auto& [key, text] : entry.items()) {
                expect(text.is_string(), "'", key, "' in __metadata__ is a JSON ", text.type_name(),
                       ", expected a string");
                metadata_[key] = text.template get<std::string>();
            }
        }
    }

    stored_array read_entry(const std::string& name, const json& entry,
                            std::span<const std::byte> data) const {
        const auto field = [&](const char* key) -> const json& {
            const auto place = entry.is_object() ? entry.find(key) : entry.end();
            expect(place != entry.end(), "'", name, "' lacks the field ", key);
            return *place;
        };
        const auto numbers = [&](const char* key) {
            const json& list = field(key);
            expect(list.is_array(), "'", name, "': ", key, " is a JSON ", list.type_name(),
                   ", expected an array");
            std::vector<std::size_t> result;
            for (const auto& number : list) {
                expect(number.is_number_unsigned(), "'", name, "': ", key, " holds ",
                       number.dump(-1, ' ', true), ", expected whole numbers of at least 0");
                result.push_back(number.get<std::size_t>());
            }
            return result;
        };

        stored_array array{.name = name, .shape = numbers("shape"), .bytes = {}};
        const json& type = field("dtype");
        const auto format =
            std::find_if(element_formats.begin(), element_formats.end(), [&](const auto& known) {
                return type.is_string() && type.get_ref<const std::string&>() == known.safetensors;
            });
        expect(format != element_formats.end(), "'", name, "': dtype is ", type.dump(-1, ' ', true),
               ", expected F32, F64, I64 or U8");
        array.type = format->type;

        const auto bytes = bytes_of(array.type, array.shape);
        expect(bytes.has_value(), "'", name, "': shape ", shape_text(array.shape),
               " makes it larger than any memory");
        const auto offsets = numbers("data_offsets");
        expect(offsets.size() == 2, "'", name, "': data_offsets holds ", offsets.size(),
               " numbers, expected 2");
        expect(offsets[0] <= offsets[1] && offsets[1] <= data.size(), "'", name, "': data_offsets ",
               shape_text(offsets), " is no range of the ", data.size(), " bytes behind the header");
        expect(offsets[1] - offsets[0] == *bytes, "'", name, "': data_offsets holds ",
               offsets[1] - offsets[0], " bytes, but its shape ", shape_text(array.shape), " needs ", *bytes);
        array.bytes = data.subspan(offsets[0], *bytes);
        return array;
    }

    // Every byte belongs to one array, as the format demands: nothing hides in a file.
    void check_layout(std::size_t size) {
        const auto* begin = bytes_.data() + bytes_.size() - size;
        const auto place_of = [&](const stored_array& array) {
            return static_cast<std::size_t>(array.bytes.data() - begin);
        };
        std::stable_sort(arrays_.begin(), arrays_.end(), [&](const auto& left, const auto& right) {
            return std::pair(place_of(left), left.bytes.size()) <
                   std::pair(place_of(right), right.bytes.size());
        });
        std::size_t end = 0;
        const stored_array* before = nullptr;
        for (const auto& array : arrays_) {
            const std::size_t place = place_of(array);
            expect(place >= end, "'", array.name, "' overlaps '", before ? before->name : "", "' by ",
                   end - place, " bytes");
            expect(place == end, "the ", place - end, " bytes before '", array.name, "' belong to no array");
            end = place + array.bytes.size();
            before = &array;
        }
        expect(end == size, "its last ", size - end, " bytes belong to no array");
    }

    std::string name_;
    aligned_vector<std::byte> bytes_;
    std::map<std::string, std::string, std::less<>> metadata_;
    std::vector<stored_array> arrays_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace frostline
