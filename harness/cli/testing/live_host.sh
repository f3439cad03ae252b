#!/bin/sh
# A host for tests of `plumbline validate`.
#
#   live_host.sh FOLDER COMMAND    makes the host and has a shell run COMMAND in it, with the functions below and those of
#                                  host_state.sh
#
# To be started in network, mount and pid namespaces of its own. The host: two bridges, three containers, an uplink to
# what plays the internet, rules of nftables and of iptables-legacy, a routing table of its own.
set -eu

folder=$1
# shellcheck disable=SC2034 # host_state.sh uses it
nodes=/run/netns
# shellcheck source=harness/cli/testing/host_state.sh
. "$(dirname "$0")/host_state.sh"

# Starts plumbline with the arguments, and comes back when its taps are ready: its pid is $started.
start() {
  mkfifo "$folder/log"
  PLUMBLINE_LOG=debug "$PLUMBLINE" "$@" >"$folder/output" 2>"$folder/log" &
  # shellcheck disable=SC2034 # the command that the host is made for uses it
  started=$!
  exec 3<"$folder/log"
  while read -r line <&3; do
    case $line in *"taps ready"*) return ;; esac
    echo "$line"
  done
  echo "IT ENDED TOO EARLY"
  return 1
}

mount -t tmpfs tmpfs /run
mkdir /run/netns /run/etc
# An unprivileged user may neither read all of /etc nor keep its owners.
tar -C /etc --ignore-failed-read -cf - . | tar -C /run/etc --no-same-owner -xf -
mount --bind /run/etc /etc
ip link set lo up
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
for name in web db other inet; do
  ip netns add $name
  ip netns exec $name sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
  ip -n $name link set lo up
done
container() {
  ip link add v-"$1" type veth peer name eth0 netns "$1"
  ip link set v-"$1" master "$2" up
  ip -n "$1" link set eth0 up
  ip -n "$1" addr add "$3"/24 dev eth0
  ip -n "$1" route add default via "$4"
}
for bridge in 98 99; do
  ip link add br$bridge type bridge
  ip link set br$bridge up
  ip addr add 192.168.$bridge.1/24 dev br$bridge
done
container web br99 192.168.99.11 192.168.99.1
container db br99 192.168.99.12 192.168.99.1
container other br98 192.168.98.11 192.168.98.1
ip link add ens4 type veth peer name eth0 netns inet
ip link set ens4 up
ip addr add 192.168.16.10/24 dev ens4
ip -n inet link set eth0 up
ip -n inet addr add 192.168.16.1/24 dev eth0
ip -n inet addr add 203.0.113.80/32 dev lo
ip route add default via 192.168.16.1
ip route add default via 192.168.16.1 table 88
ip route add 192.168.99.0/24 dev br99 table 88
ip route add blackhole 192.0.2.0/24 table 89
ip rule add from 192.168.98.0/24 iif br98 lookup 88 priority 100
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2
iptables-legacy -A FORWARD -d 198.51.100.7 -j DROP
nft -f - <<'RULES'
table ip nat {
  chain post {
    type nat hook postrouting priority 100
    ip saddr 192.168.98.0/23 oifname ens4 counter masquerade
  }
}
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname br98 oifname br99 counter drop
    iifname br99 oifname br98 counter drop
  }
}
RULES
mkdir -p /etc/netns/web
echo nameserver 203.0.113.80 >/etc/netns/web/resolv.conf

# What comes up is up before anything is remembered.
for address in 192.168.99.11 192.168.99.12 192.168.98.11 192.168.16.1; do ping -q -c1 -W2 $address >/dev/null; done
eval "$2"
