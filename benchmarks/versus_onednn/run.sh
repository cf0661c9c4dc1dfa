#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares single convolutions of frostline and of oneDNN on this machine: installs what is missing, builds,
# checks that both compute the same, measures.
# Usage: run.sh [--quick] [--case TEXT]... [--rounds N] [--output FILE]
set -eu

. "$(dirname "$0")/../versus.sh"
build_versus "libdnnl-dev ocl-icd-opencl-dev" frostline-versus-onednn

# Without what would hold one side back.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE DNNL_MAX_CPU_ISA ONEDNN_MAX_CPU_ISA OMP_WAIT_POLICY OMP_PROC_BIND \
  OMP_PLACES OMP_NUM_THREADS OMP_THREAD_LIMIT OMP_DYNAMIC GOMP_CPU_AFFINITY
OMP_NUM_THREADS=$(nproc) "$build/benchmarks/frostline-versus-onednn" "$@"
