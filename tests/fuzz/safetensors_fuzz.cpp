// SPDX-License-Identifier: MIT
// The bytes as a safetensors file: arrays that lie in it and can be copied, or a data_error.
#include "frostline/io/safetensors_file.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

template <class T>
void copy(const frostline::safetensors_file& file, const frostline::stored_array& array) {
    std::vector<T> values(array.size());
    try {
        file.copy<T>(array, values);
    } catch (const frostline::data_error&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    frostline::aligned_vector<std::byte> bytes(size);
    std::copy_n(reinterpret_cast<const std::byte*>(data), size, bytes.begin());
    try {
        const frostline::safetensors_file file(std::move(bytes), "input");
        std::size_t total = 0;
        for (const auto& array : file.arrays()) {
            if (array.size() * frostline::format_of(array.type).bytes != array.bytes.size()) std::abort();
            if (file.find(array.name) != &array) std::abort();
            total += array.bytes.size();
            copy<float>(file, array);
            copy<double>(file, array);
            copy<std::int64_t>(file, array);
            copy<std::uint8_t>(file, array);
        }
        if (total + 8 > size) std::abort();
    } catch (const frostline::data_error&) {
    }
    return 0;
}
