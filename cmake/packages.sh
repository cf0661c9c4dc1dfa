# SPDX-License-Identifier: MIT
# Shared by the scripts of this folder: installing Debian packages, and saying what is being done.
# shellcheck shell=sh disable=SC2034

build_packages="g++ cmake ninja-build pkg-config libxtensor-dev libxtensor-blas-dev libopenblas-dev libtbb-dev \
libcli11-dev nlohmann-json3-dev zlib1g-dev libjpeg-dev libpng-dev libssl-dev dataset-fashion-mnist"
check_packages="$build_packages catch2 libbenchmark-dev libxsimd-dev ccache python3 chromium \
libopenmpi-dev openmpi-bin"
clang_packages="clang libclang-rt-dev"

# Installs those of the given packages that are missing.
install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "This is no Debian system: make sure that you have what these packages hold: $*"
        return 0
    fi
    missing=""
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || missing="$missing $package"
    done
    if [ -z "$missing" ]; then
        echo "All packages are installed already."
        return 0
    fi
    echo "Installing:$missing"
    if [ "$(id -u)" -eq 0 ]; then
        as_root="env"
    elif command -v sudo >/dev/null 2>&1; then
        as_root="sudo env"
    else
        echo "These packages are missing, and installing them needs root or sudo:$missing" >&2
        echo "As root: apt-get update && apt-get install --yes --no-install-recommends$missing" >&2
        return 1
    fi
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update
    # shellcheck disable=SC2086 # the list is made of words
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        install --yes --no-install-recommends $missing >/dev/null
}

script_name=$(basename "$0")
script_start=$(date +%s)
step_name=""

end_step() {
    [ -z "$step_name" ] || echo "== $step_name: $(($(date +%s) - step_start)) s"
    step_name=""
}

# Ends the step before, and says which one begins.
step() {
    end_step
    step_name=$1
    step_start=$(date +%s)
    echo "== $step_name"
}

skip() {
    end_step
    echo "== SKIPPED: $1"
    skipped=$((${skipped:-0} + 1))
}

# The last line of a run, also of one that fails.
summarise() {
    code=$?
    failed_step=$step_name
    end_step
    seconds=$(($(date +%s) - script_start))
    if [ "$code" -eq 0 ]; then
        echo "$script_name: passed in $seconds s, ${skipped:-0} parts skipped"
    else
        echo "$script_name: FAILED in step '${failed_step:-none}' after $seconds s"
    fi
}
trap summarise EXIT
trap 'exit 130' INT TERM
