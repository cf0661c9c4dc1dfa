// SPDX-License-Identifier: MIT
// The bytes as a file of NumPy's, of each type: an array, or a data_error.
#include "frostline/io/npy.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

template <class T>
void read(std::span<const std::byte> bytes) {
    try {
        const auto array = frostline::read_npy_from<T>(bytes, "input");
        if (array.values.size() != frostline::elements_of(array.shape)) std::abort();
    } catch (const frostline::data_error&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    read<float>(bytes);
    read<double>(bytes);
    read<std::int64_t>(bytes);
    read<std::uint8_t>(bytes);
    return 0;
}
