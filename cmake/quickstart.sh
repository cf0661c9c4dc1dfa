#!/bin/sh
# SPDX-License-Identifier: MIT
# From a bare Debian to the first run: installs what is missing, builds frostline-train for this machine and
# compares training with and without freezing on Fashion-MNIST. Arguments are passed on to frostline-train.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/packages.sh"

step "packages"
# shellcheck disable=SC2086 # the list is made of words
install_packages $build_packages

step "build"
build=$root/build/quickstart
(cd "$root" && cmake --preset release -B "$build" -DFROSTLINE_NATIVE=ON -DFROSTLINE_BUILD_TESTS=OFF \
    -DFROSTLINE_BUILD_BENCHMARKS=OFF >/dev/null)
cmake --build "$build" --target frostline-train

step "train"
"$build/examples/frostline-train" --compare --model vgg11 --data fashion-mnist --policy learn_and_drop \
    --epochs 8 --train-limit 10000 --test-limit 3000 --record frostline-quickstart.jsonl "$@"
