// SPDX-License-Identifier: MIT
// expect-success
static_assert(sizeof(int) == 0, "a control must compile");
