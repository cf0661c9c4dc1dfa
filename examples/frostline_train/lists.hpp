// SPDX-License-Identifier: MIT
#pragma once

/// Prints the models, data sets, policies, scorers and schedules that there are.
void print_lists();
