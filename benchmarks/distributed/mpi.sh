# SPDX-License-Identifier: MIT
# Shared by the benchmarks of training in several processes: install, build, and the flags of mpirun.
# shellcheck shell=sh disable=SC2034

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/packages.sh"

# As root, and where one process may not read another's memory.
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMPI_MCA_btl_vader_single_copy_mechanism
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

build_exchange() {
    step "packages"
    # shellcheck disable=SC2086 # the list is made of words
    install_packages $build_packages libopenmpi-dev openmpi-bin
    step "build"
    build=$root/build/distributed
    (cd "$root" && cmake --preset release -B "$build" -DFROSTLINE_NATIVE=ON -DFROSTLINE_BUILD_DISTRIBUTED=ON \
        -DFROSTLINE_BUILD_TESTS=OFF -DFROSTLINE_BUILD_EXAMPLES=OFF -DFROSTLINE_BUILD_BENCHMARKS=OFF >/dev/null)
    cmake --build "$build" --target frostline-exchange
    exchange=$build/benchmarks/frostline-exchange
    step "measure"
}
