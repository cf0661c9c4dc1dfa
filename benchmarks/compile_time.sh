#!/bin/sh
# SPDX-License-Identifier: MIT
# Seconds and peak memory of compiling the umbrella header, and the first example with VGG-11 and ResNet-152,
# at -O2.
# Usage: compile_time.sh [COMPILER]      (default: $CXX, or g++)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
compiler=${1:-${CXX:-g++}}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# shellcheck disable=SC2046 # the flags are words
set -- -std=c++20 -O2 "-I$root/include" $(pkg-config --cflags openblas tbb xtensor)
if ! "$compiler" --version | grep -q clang; then
    set -- "$@" -fno-new-ttp-matching
fi

measure() { # label, source, flags
    label=$1 source=$2
    shift 2
    python3 - "$label" "$source" "$scratch/out.o" "$compiler" "$@" <<'PYTHON'
import resource
import subprocess
import sys
import time

label, source, output, *command = sys.argv[1:]
start = time.monotonic()
subprocess.run([*command, "-c", source, "-o", output], check=True)
seconds = time.monotonic() - start
megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{label:40} {seconds:6.1f} s {megabytes:7.0f} MB")
PYTHON
}

"$compiler" --version | head -n 1
echo '#include "frostline/frostline.hpp"' >"$scratch/umbrella.cpp"
measure "frostline/frostline.hpp" "$scratch/umbrella.cpp" "$@"
measure "examples/01_train_vgg.cpp" "$root/examples/01_train_vgg.cpp" "$@"
sed 's/vgg11</resnet152</' "$root/examples/01_train_vgg.cpp" >"$scratch/train_resnet152.cpp"
grep -q 'resnet152<' "$scratch/train_resnet152.cpp"
measure "the same, training ResNet-152" "$scratch/train_resnet152.cpp" "$@"
