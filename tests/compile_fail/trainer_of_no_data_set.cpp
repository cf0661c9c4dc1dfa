// SPDX-License-Identifier: MIT
// The sentence reaches the program that gives a trainer what does not fit.
// expect: frostline: a data set needs classes\(\) const, the number of classes
#include "frostline/features/no_feature_store.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/freeze/scorers/weight_change.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/models/lenet.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/train/trainer.hpp"

struct unlabelled {
    std::size_t size() const { return 1; }
    frostline::sample_shape shape() const { return {28, 28, 1}; }
    std::uint64_t sample_id(std::size_t index) const { return index; }
    std::int32_t target(std::size_t) const { return 0; }
    template <class T>
    void read(std::size_t, std::span<T> pixels) const {
        pixels[0] = 0;
    }
};

int main() {
    auto network = frostline::lenet5<float>({28, 28, 1}, 10);
    frostline::trainer trainer{network,
                               frostline::softmax_cross_entropy<float>{},
                               frostline::sgd<float>{},
                               frostline::weight_change{},
                               frostline::never{},
                               frostline::no_feature_store{}};
    trainer.run({}, unlabelled{});
}
