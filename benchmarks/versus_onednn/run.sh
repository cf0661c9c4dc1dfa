#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares single convolutions of frostline and of oneDNN on this machine: installs what is missing, builds,
# checks that both compute the same, measures.
# Usage: run.sh [--quick] [--case TEXT]... [--rounds N] [--output FILE]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/packages.sh"

step "packages"
# shellcheck disable=SC2086 # the list is made of words
install_packages $build_packages libdnnl-dev

step "build"
build=$root/build/versus
(cd "$root" && cmake --preset release -B "$build" -DFROSTLINE_NATIVE=ON -DFROSTLINE_BUILD_VERSUS=ON \
    -DFROSTLINE_BUILD_TESTS=OFF -DFROSTLINE_BUILD_EXAMPLES=OFF -DFROSTLINE_BUILD_BENCHMARKS=OFF >/dev/null)
cmake --build "$build" --target frostline-versus-onednn

step "measure"
# Without what would hold one side back.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE DNNL_MAX_CPU_ISA ONEDNN_MAX_CPU_ISA OMP_WAIT_POLICY OMP_PROC_BIND
OMP_NUM_THREADS=$(nproc) "$build/benchmarks/frostline-versus-onednn" "$@"
