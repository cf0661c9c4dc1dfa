// SPDX-License-Identifier: MIT
// expect: the layer has no forward
static_assert(sizeof(int) == 0, "this is another sentence");
