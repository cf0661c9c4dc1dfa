#!/bin/sh
# SPDX-License-Identifier: MIT
# Steps of two processes that a slow link joins, without freezing, with frozen blocks and with dropped ones. Each process
# lives in a network namespace of its own; needs root, iproute2, and a kernel with veth and the queueing discipline tbf.
# Usage: slow_link.sh [RATE [ARGUMENT OF frostline-exchange...]]      RATE as tc writes it, 1gbit unless given
set -eu

. "$(dirname "$0")/mpi.sh"
rate=${1:-1gbit}
[ $# -eq 0 ] || shift

first=frostline_a
second=frostline_b
remove_namespaces() {
    for name in $first $second; do ip netns del "$name" 2>/dev/null || true; done
}

command -v ip >/dev/null 2>&1 && command -v tc >/dev/null 2>&1 || { skip "there is no ip or tc (Debian: iproute2)"; exit 0; }
remove_namespaces
if ! ip netns add $first 2>/dev/null || ! ip netns add $second 2>/dev/null ||
    ! ip link add fla netns $first type veth peer name flb netns $second 2>/dev/null ||
    ! ip netns exec $first tc qdisc add dev fla root tbf rate "$rate" burst 256kb latency 100ms 2>/dev/null ||
    ! ip netns exec $second tc qdisc add dev flb root tbf rate "$rate" burst 256kb latency 100ms 2>/dev/null; then
    remove_namespaces
    skip "no network namespaces with a slow link between them: not permitted, or the kernel has no veth or tbf"
    exit 0
fi
work=$(mktemp -d)
trap 'summarise; remove_namespaces; rm -rf "$work"' EXIT
ip -n $first addr add 10.93.7.1/24 dev fla
ip -n $second addr add 10.93.7.2/24 dev flb
for name in $first $second; do ip -n $name link set lo up; done
ip -n $first link set fla up
ip -n $second link set flb up

build_exchange
# In place of ssh: mpirun starts the second machine's part in the second namespace, under another host name.
cat >"$work/agent" <<END
#!/bin/sh
shift
exec ip netns exec $second unshare --uts sh -c 'hostname frostline-b; eval "\$0"' "\$*"
END
chmod +x "$work/agent"

# Arguments: name, leading blocks of VGG-11 frozen, dropped.
measure() {
    frozen=$1
    dropped=$2
    shift 2
    ip netns exec $first unshare --uts sh -c 'hostname frostline-a; exec "$@"' sh \
        mpirun --host 10.93.7.1:1,10.93.7.2:1 -n 2 --mca plm_rsh_agent "$work/agent" --mca plm rsh \
        --mca btl tcp,self --mca btl_tcp_if_include 10.93.7.0/24 --mca oob_tcp_if_include 10.93.7.0/24 \
        -x OMPI_MCA_btl_vader_single_copy_mechanism \
        --bind-to none "$exchange" --frozen "$frozen" --dropped "$dropped" "$@"
}
measure 0 0 "$@"
measure 6 0 "$@"
measure 6 6 "$@"
measure 10 10 "$@"
