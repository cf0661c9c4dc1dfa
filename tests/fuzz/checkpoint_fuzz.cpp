// SPDX-License-Identifier: MIT
// The bytes as a checkpoint, as they are and with the checksum that belongs to them: state and weights that
// can be read, or a data_error.
#include "frostline/train/checkpoint_file.hpp"

#include "frostline/compose/network.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/optim/sgd.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace {

template <class Bytes>
void read(Bytes bytes) {
    static frostline::network<frostline::linear<float>> network(
        {1, 1, 2}, {frostline::linear<float>{{.name = "head", .inputs = 2, .outputs = 3}}});
    static frostline::sgd<float> optimiser;
    optimiser.attach(network.slices());
    try {
        const frostline::checkpoint_file file(std::move(bytes), "input");
        file.load(network, optimiser, {}, [](auto& visit) {
            bool truth = false;
            std::size_t whole = 0;
            std::optional<double> maybe;
            std::vector<double> numbers;
            std::vector<bool> flags;
            std::vector<std::optional<double>> scores;
            visit("a", truth);
            visit("b", whole);
            visit("c", maybe);
            visit("d", numbers);
            visit("e", flags);
            visit("f", scores);
        });
    } catch (const frostline::data_error&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    frostline::aligned_vector<std::byte> bytes(size);
    std::copy_n(reinterpret_cast<const std::byte*>(data), size, bytes.begin());
    read(bytes);
    if (size < sizeof(std::uint64_t)) return 0;
    const std::uint64_t sum = frostline::checksum_of(bytes.data(), size - sizeof sum);
    std::memcpy(bytes.data() + size - sizeof sum, &sum, sizeof sum);
    read(std::move(bytes));
    return 0;
}
