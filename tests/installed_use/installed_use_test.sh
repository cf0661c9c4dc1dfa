#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs into a temporary prefix and builds a small program against it in every supported way.
# Usage: installed_use_test.sh CMAKE SOURCE_DIR BUILD_DIR CXX GENERATOR
set -eu

cmake=$1 source=$2 build=$3 compiler=$4 generator=$5
consumer=$source/tests/installed_use/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

by_cmake() { # name, arguments of the configuration
    name=$1
    shift
    echo "== $name"
    "$cmake" -G "$generator" -S "$consumer" -B "$scratch/$name" -DCMAKE_CXX_COMPILER="$compiler" "$@" >"$scratch/log" ||
        { cat "$scratch/log"; return 1; }
    "$cmake" --build "$scratch/$name"
    "$scratch/$name/consumer"
    "$scratch/$name/components"
}

by_pkg_config() { # name, prefix
    echo "== $1"
    directory=$(dirname "$(find "$2" -name frostline.pc)")
    flags=$(PKG_CONFIG_PATH=$directory pkg-config --cflags --libs frostline)
    echo "$flags"
    # shellcheck disable=SC2086 # the flags are words
    "$compiler" -std=c++20 "$consumer/main.cpp" $flags -o "$scratch/$1"
    "$scratch/$1"
}

"$cmake" --install "$build" --prefix "$scratch/first" >/dev/null
by_cmake find_package -DCMAKE_PREFIX_PATH="$scratch/first"
by_pkg_config pkg-config "$scratch/first"
by_cmake add_subdirectory -DFROSTLINE_SOURCE_DIR="$source"

mkdir "$scratch/elsewhere"
mv "$scratch/first" "$scratch/elsewhere/moved"
if grep -rn "$scratch/first" "$scratch/elsewhere/moved"; then
    echo "The installed files name the prefix they were installed into" >&2
    exit 1
fi
if grep -rnF -e "$source" -e "$build" "$scratch/elsewhere/moved"; then
    echo "The installed files name the folder they were built from" >&2
    exit 1
fi
by_cmake find_package-moved -DCMAKE_PREFIX_PATH="$scratch/elsewhere/moved"
by_pkg_config pkg-config-moved "$scratch/elsewhere/moved"
