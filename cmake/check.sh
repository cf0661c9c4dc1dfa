#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, and runs every test; then the fast tests under the address sanitizer.
# Usage: check.sh [--all]
#   --all   also: fuzzing, clang, older instruction sets, thread sanitizer (TSAN_TBB_ROOT=<oneTBB built for it>)
set -eu

all=false
case "${1:-}" in
    "") ;;
    --all) all=true ;;
    *) echo "usage: check.sh [--all]" >&2; exit 2 ;;
esac

caller=$(pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. cmake/packages.sh
jobs=$(nproc)

# Configures, builds and tests one variant: name, preset it starts from, further arguments of the configuration.
check_variant() {
    variant=$1
    preset=$2
    shift 2
    step "build $variant"
    cmake --preset "$preset" -B "build/$variant" -DFROSTLINE_TESTS_TOGETHER=ON "$@"
    cmake --build "build/$variant" --parallel "$jobs"
    step "test $variant"
    ctest --test-dir "build/$variant" --output-on-failure --no-tests=error --parallel "$jobs"
}

step "packages"
# shellcheck disable=SC2086 # the list is made of words
install_packages $check_packages
if $all; then
    # shellcheck disable=SC2086
    install_packages $clang_packages
fi

if [ -n "${FROSTLINE_DATA:-}" ]; then
    # Tests run in folders of their own.
    FROSTLINE_DATA=$(cd "$caller" && cd "$FROSTLINE_DATA" && pwd)
    export FROSTLINE_DATA
elif [ -f ../shared/data/prepare.sh ]; then
    step "data"
    sh ../shared/data/prepare.sh "$root/build/data"
    FROSTLINE_DATA=$root/build/data
    export FROSTLINE_DATA
else
    skip "tests on CIFAR-10 and Imagenette (FROSTLINE_DATA names no folder with them)"
fi
python3 -c 'import numpy, torch' 2>/dev/null ||
    skip "exchange of weights with PyTorch (Debian: python3-torch, python3-numpy)"

# Tuned for this machine; the sanitizers below, and the variants of --all, run the portable kernels.
check_variant release release -DFROSTLINE_NATIVE=ON

step "build asan"
cmake --preset asan -DFROSTLINE_TESTS_TOGETHER=ON
cmake --build --preset asan --parallel "$jobs"
step "test asan"
ctest --preset asan --parallel "$jobs"

if $all; then
    if find tests/fuzz -name '*_fuzz.cpp' | grep -q .; then
        step "build fuzz"
        cmake --preset release -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DFROSTLINE_FUZZ=ON
        cmake --build build/fuzz --target frostline-fuzz --parallel "$jobs"
        for source in tests/fuzz/*_fuzz.cpp; do
            name=$(basename "$source" .cpp)
            step "fuzz $name"
            mkdir -p "build/fuzz/corpus/$name"
            "build/fuzz/tests/fuzz/$name" -max_total_time=60 -print_final_stats=1 \
                -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" 2>"build/fuzz/$name.log" ||
                { tail -n 60 "build/fuzz/$name.log"; exit 1; }
            grep -E 'number_of_executed_units|slowest_unit' "build/fuzz/$name.log" || true
        done
    fi

    check_variant clang release -DCMAKE_CXX_COMPILER=clang++

    if [ "$(uname -m)" = x86_64 ]; then
        for level in x86-64-v2 x86-64-v3; do
            if [ "$level" = x86-64-v3 ] && ! grep -q -m 1 -w avx2 /proc/cpuinfo; then
                skip "$level: this machine has no AVX2"
            else
                check_variant "$level" release -DCMAKE_CXX_FLAGS="-march=$level"
            fi
        done
    else
        skip "x86-64-v2 and x86-64-v3: this machine is another"
    fi

    if [ -n "${TSAN_TBB_ROOT:-}" ]; then
        step "build tsan"
        cmake --preset tsan -DTBB_ROOT="$TSAN_TBB_ROOT"
        cmake --build --preset tsan --parallel "$jobs"
        step "test tsan"
        ctest --preset tsan
    else
        skip "thread sanitizer: with Debian's oneTBB it reports races that are none, and suppressing oneTBB's frames
   hides real ones. Build oneTBB with -fsanitize=thread and name its prefix in TSAN_TBB_ROOT"
    fi
fi
