// SPDX-License-Identifier: MIT
#pragma once

#include "settings.hpp"

#include "frostline/report/record_lines.hpp"
#include "frostline/train/checkpoints.hpp"

#include <string>

/// The record's line of event `run`: all settings of the run of one policy.
frostline::record_line run_json(const settings& chosen, const std::string& policy);

/// Refuses processes whose settings differ: they would wait for each other for ever.
/// @throws frostline::process_error
void require_same_settings(const settings& chosen, process_group& processes);

/// Those of the run of this policy, ready to go on where that is wished.
/// @throws frostline::data_error where a folder holds checkpoints that nobody wants to go on from, or one
/// that is damaged
frostline::checkpoints checkpoints_of(const settings& chosen, const std::string& policy);
