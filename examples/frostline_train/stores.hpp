// SPDX-License-Identifier: MIT
#pragma once

#include "settings.hpp"

#include "frostline/features/any_feature_store.hpp"

#include <cstddef>

/// The feature store that the settings ask for.
/// @param sharers  processes that put their stores onto the same disk
/// @throws frostline::data_error when its folder takes no files
frostline::any_feature_store<scalar> make_store(const settings& chosen, std::size_t sharers);
