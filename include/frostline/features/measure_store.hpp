// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Times how fast a store that holds nothing takes rows of this shape and gives them back: 16 MiB of them, or
/// what it has room for, and the faster of two rounds. It is empty afterwards.
/// @param flush  called behind the last row, and timed with the writing
template <class T, class Store, class Flush>
tier_costs measure_store(Store& store, const sample_shape& shape, const Flush& flush) {
    constexpr std::size_t wanted = std::size_t{16} << 20, most_rows = 32;
    const std::size_t row_bytes = std::max<std::size_t>(1, row_bytes_of<T>(store, shape));
    const std::size_t batch = std::clamp<std::size_t>(wanted / row_bytes, 1, most_rows);
    const std::size_t batches =
        std::max<std::size_t>(1, std::min(wanted, store.budget() / 2) / (row_bytes * batch));
    tensor<T> rows;
    resize(rows, batch, shape);
    for (std::size_t i = 0; i < rows.size(); ++i) rows.data()[i] = static_cast<T>(i % 97);
    std::vector<feature_key> keys(batch);
    std::vector<std::size_t> missed;
    const auto number = [&](std::size_t first) {
        for (std::size_t row = 0; row < batch; ++row)
            keys[row] = {.sample = first * batch + row, .cut = std::numeric_limits<std::uint32_t>::max()};
    };
    const auto seconds_of = [](const auto& action) {
        const stopwatch watch;
        action();
        return std::max(1e-9, watch.seconds());
    };

    tier_costs best;
    for (int round = 0; round < 2; ++round) {
        const double writing = seconds_of([&] {
            for (std::size_t i = 0; i < batches; ++i) {
                number(i);
                store.put(keys, rows);
            }
            flush();
        });
        std::size_t got = 0;
        const double reading = seconds_of([&] {
            for (std::size_t i = 0; i < batches; ++i) {
                number(i);
                store.prefetch(keys);
                store.get(keys, rows, missed);
                got += batch - missed.size();
            }
        });
        store.clear();
        const auto bytes = static_cast<double>(got * row_bytes);
        best.write_bytes_per_second = std::max({1.0, best.write_bytes_per_second, bytes / writing});
        best.read_bytes_per_second = std::max({1.0, best.read_bytes_per_second, bytes / reading});
    }
    return best;
}

/// The costs of each tier of a store that holds nothing.
template <class T, class Store>
std::vector<tier_costs> measure_tiers(Store& store, const sample_shape& shape) {
    if constexpr (requires { store.measure(shape); })
        return store.measure(shape);
    else
        return {measure_store<T>(store, shape, [] {})};
}

}  // namespace frostline
