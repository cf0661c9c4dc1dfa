// SPDX-License-Identifier: MIT
#include "frostline/testing/archetypes.hpp"

#include "layers/layer_checks.hpp"

TEST_CASE("the archetype of a layer keeps what a layer has to keep") {
    layer_checks::check_layer([]<class T>() { return frostline::layer_archetype<T>{}; }, 3, {3, 2, 5});
}
