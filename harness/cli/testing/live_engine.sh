#!/bin/sh
# The disposable host of a spec whose setup is a container engine, as somebody finds it who is logged in there.
#
#   live_engine.sh FOLDER CONTAINER…    makes two bridges by hand beside the engine's networks and has a shell run
#                                       FOLDER/command in it, with the functions below and those of host_state.sh
#
# To be started by a step `run` of the spec, in a mount namespace of its own. The engine's containers that take part are
# CONTAINERS. $socket is where the engine listens.
#
#   vm1 192.168.51.11 --+                              +-- ens4 192.168.16.10
#                       +-- br51 192.168.51.1 -- host -+
#   vm2 192.168.51.12 --+                        |     +-- the engine's networks
#   vm3 192.168.52.11 ----- br52 192.168.52.1 ---+
set -eu

folder=$1
shift
nodes=/run/nodes
# shellcheck source=harness/cli/testing/host_state.sh
. "$(dirname "$0")/host_state.sh"
socket=${DOCKER_HOST:-$CONTAINER_HOST}
# shellcheck disable=SC2034 # FOLDER/command uses it
socket=${socket#unix://}

# The name that a step of the spec's gives to a container's namespace is none of the host's, and neither are the names of
# the world's nodes and the process that the sandbox begins with.
mkdir $nodes
node() {
  : >"$nodes/$1"
  mount --bind "/run/netns/$1" "$nodes/$1"
}
for name; do node "$name"; done
mount -t tmpfs tmpfs /run/netns
mount -t tmpfs tmpfs /proc/1

# A pid of a container's.
pid_of() {
  for process in /proc/[0-9]*; do
    if [ "$(stat -Lc %i "$process/ns/net" 2>/dev/null)" = "$(stat -Lc %i "$nodes/$1")" ]; then
      echo "${process#/proc/}"
      return
    fi
  done
  echo "nobody lives in $1" >&2
  return 1
}

# What answers on a TCP port of a container's, up when this returns. Its pid ends with the sandbox.
serve() {
  nsenter --net="$nodes/$1" busybox httpd -p "$2" -h "$folder"
}

# Docker keeps what is not its own from being forwarded; whoever has bridges of his own mends that like this.
iptables -P FORWARD ACCEPT
for bridge in 51 52; do
  ip link add br$bridge type bridge
  ip link set br$bridge up
  ip addr add 192.168.$bridge.1/24 dev br$bridge
  iptables -t nat -A POSTROUTING -s 192.168.$bridge.0/24 -o ens4 -j MASQUERADE
done
for vm in 1.51.11 2.51.12 3.52.11; do
  name=vm${vm%%.*} address=192.168.${vm#*.}
  ip netns add "$name"
  node "$name"
  ip netns exec "$name" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
  ip -n "$name" link set lo up
  ip link add "v-$name" type veth peer name eth0 netns "$name"
  ip link set "v-$name" master "br$(echo "$vm" | cut -d. -f2)" up
  ip -n "$name" link set eth0 up
  ip -n "$name" addr add "$address/24" dev eth0
  ip -n "$name" route add default via "${address%.*}.1"
  ping -q -c1 -W2 "$address" >/dev/null
done
# shellcheck source=/dev/null
. "$folder/command"
