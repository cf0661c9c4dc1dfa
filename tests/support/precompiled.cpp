// SPDX-License-Identifier: MIT
// Empty: the precompiled header of all tests is built for this file.
