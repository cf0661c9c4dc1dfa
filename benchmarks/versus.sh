# SPDX-License-Identifier: MIT
# Shared by the comparisons with other libraries: install, build, and get ready to measure.
# shellcheck shell=sh

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/packages.sh"

# Installs the other library's packages, and builds a program of ours into $build/benchmarks.
build_versus() {
    packages=$1
    target=$2
    step "packages"
    # shellcheck disable=SC2086 # the lists are made of words
    install_packages $build_packages $packages
    step "build"
    build=$root/build/versus
    (cd "$root" && cmake --preset release -B "$build" -DFROSTLINE_NATIVE=ON -DFROSTLINE_BUILD_VERSUS=ON \
        -DFROSTLINE_BUILD_TESTS=OFF -DFROSTLINE_BUILD_EXAMPLES=OFF -DFROSTLINE_BUILD_BENCHMARKS=OFF >/dev/null)
    cmake --build "$build" --target "$target"
    step "measure"
}
