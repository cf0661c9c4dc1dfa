// SPDX-License-Identifier: MIT
// Feature stores without the network: how long a batch of rows takes to put and to get, by place and
// encoding. bytes_per_row is what the store takes for a row, its index included.

#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/memory_feature_store.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace {

using namespace frostline;

constexpr std::size_t batch = 128, batches = 8, budget = std::size_t{1} << 32;
constexpr sample_shape shape{8, 8, 128};  // behind the second pooling of VGG-16

template <class Encoding>
using memory = memory_feature_store<float, Encoding>;
template <class Encoding>
struct disk : disk_feature_store<float, Encoding> {
    explicit disk(std::size_t bytes)
        : disk_feature_store<float, Encoding>(std::filesystem::temp_directory_path(), bytes) {}
};

std::vector<feature_key> keys_of(std::size_t number) {
    std::vector<feature_key> keys(batch);
    for (std::size_t row = 0; row < batch; ++row) keys[row] = {.sample = number * batch + row, .cut = 1};
    return keys;
}

// As a ReLU leaves them.
tensor<float> rows() {
    tensor<float> made;
    resize(made, batch, shape);
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = std::max(0.0f, static_cast<float>(i * 2654435761u % 1000) / 500 - 1);
    return made;
}

template <class Store>
void put(benchmark::State& state) {
    Store store(budget);
    const auto values = rows();
    std::size_t number = 0;
    for (auto _ : state) store.put(keys_of(number++ % batches), values);
    state.counters["bytes_per_row"] = static_cast<double>(store.row_bytes(shape));
}

template <class Store>
void get(benchmark::State& state) {
    Store store(budget);
    auto values = rows();
    for (std::size_t number = 0; number < batches; ++number) store.put(keys_of(number), values);
    std::vector<std::size_t> missed;
    std::size_t number = 0;
    for (auto _ : state) store.get(keys_of(number++ % batches), values, missed);
    state.counters["bytes_per_row"] = static_cast<double>(store.row_bytes(shape));
}

BENCHMARK(put<memory<exact_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(get<memory<exact_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(put<memory<bfloat16_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(get<memory<bfloat16_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(put<memory<uint8_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(get<memory<uint8_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(put<disk<exact_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(get<disk<exact_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(put<disk<bfloat16_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(get<disk<bfloat16_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(put<disk<uint8_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(get<disk<uint8_encoding>>)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
