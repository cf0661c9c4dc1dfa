// SPDX-License-Identifier: MIT
#pragma once

#include "settings.hpp"

#include "frostline/data/any_dataset.hpp"
#include "frostline/data/named_dataset.hpp"

#include <cstddef>
#include <optional>

/// What a run trains on and is tested on.
struct run_data {
    frostline::any_dataset train;
    std::optional<frostline::any_dataset> validation;
    frostline::any_dataset test;
};

/// Refuses what can be refused without the data. @throws frostline::argument_error
void check_data(const settings& chosen);

/// @throws frostline::data_error when the files cannot be read, frostline::error without memory for them
run_data load_data(const settings& chosen);

/// What --summary has to know of samples that it does not read: their shape, border included, and classes.
struct sample_facts {
    frostline::sample_shape shape;
    std::size_t classes = 0;
};
sample_facts facts_of_samples(const settings& chosen);
