// SPDX-License-Identifier: MIT
// expect: the output does not matter
int main() {}
