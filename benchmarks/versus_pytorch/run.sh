#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares frostline with PyTorch on this machine: installs what is missing, builds, checks that both compute
# the same, measures. --help names the cases.
# Usage: run.sh [--quick] [--case NAME]... [--rounds N] [--output FILE]
set -eu

. "$(dirname "$0")/../versus.sh"
build_versus python3-torch frostline-versus

/usr/bin/python3 "$root/benchmarks/versus_pytorch/versus_pytorch.py" \
    --program "$build/benchmarks/frostline-versus" "$@"
