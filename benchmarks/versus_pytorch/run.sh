#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares frostline with PyTorch on this machine: installs what is missing, builds, checks that both compute
# the same, measures. --help names the cases.
# Usage: run.sh [--quick] [--case NAME]... [--rounds N] [--output FILE]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/packages.sh"

step "packages"
# shellcheck disable=SC2086 # the list is made of words
install_packages $build_packages python3-torch

step "build"
build=$root/build/versus
(cd "$root" && cmake --preset release -B "$build" -DFROSTLINE_NATIVE=ON -DFROSTLINE_BUILD_VERSUS=ON \
    -DFROSTLINE_BUILD_TESTS=OFF -DFROSTLINE_BUILD_EXAMPLES=OFF -DFROSTLINE_BUILD_BENCHMARKS=OFF >/dev/null)
cmake --build "$build" --target frostline-versus

step "measure"
/usr/bin/python3 "$root/benchmarks/versus_pytorch/versus_pytorch.py" \
    --program "$build/benchmarks/frostline-versus" "$@"
