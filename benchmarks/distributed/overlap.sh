#!/bin/sh
# SPDX-License-Identifier: MIT
# What the exchange adds to a training step of two processes, each of which has a core of its own.
# Usage: overlap.sh [ARGUMENT OF frostline-exchange...]
set -eu

. "$(dirname "$0")/mpi.sh"
build_exchange
mpirun -n 2 --bind-to core "$exchange" "$@"
