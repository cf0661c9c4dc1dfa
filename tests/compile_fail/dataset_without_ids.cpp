// SPDX-License-Identifier: MIT
// expect: frostline: a data set needs sample_id\(index\) const
// expect: frostline: a data set needs read\(index, pixels\) const, for std::span<float> and std::span<double>
#include "frostline/concepts/dataset.hpp"

struct nameless {
    std::size_t size() const { return 1; }
    frostline::sample_shape shape() const { return {1, 1, 1}; }
    std::size_t classes() const { return 1; }
    std::int32_t target(std::size_t) const { return 0; }
    void read(std::size_t, std::span<float> pixels) const { pixels[0] = 0; }
};
static_assert(frostline::explain_dataset<nameless>());
