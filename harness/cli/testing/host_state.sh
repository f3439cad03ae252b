#!/bin/sh
# All that may be known of a host, to be compared before and after.
#
#   . host_state.sh               for the functions below, with $folder to write to, and in $nodes the folder that has the
#                                 network namespaces of the host's nodes, by name
#   host_state.sh --state NAME    what of this network namespace might change, NAME in front of each line
set -eu

state_here() {
  {
    ip -d -o link
    ip -o address
    ip -4 route show table all
    ip -6 route show table all
    ip -4 rule
    ip -6 rule
    ip neighbour show nud permanent
    bridge fdb show | grep permanent || true
    nft -s list ruleset
    # Only a kernel's own root may read which tables there are.
    if [ -r /proc/net/ip_tables_names ]; then
      cat /proc/net/ip_tables_names /proc/net/ip6_tables_names
      [ -z "$(cat /proc/net/ip_tables_names)" ] || iptables-legacy-save
    fi
    awk '{print $3, $4, $5}' /proc/net/packet
    find /proc/sys/net -type f -readable ! -name nf_conntrack_count -exec grep -s . /dev/null {} + | LC_ALL=C sort
  } | sed -E "s/(_timer) +[0-9.]+/\1/g; s/\[[0-9]+:[0-9]+\]//; /^#/d; s/^/$1: /"
}

if [ "${1-}" = --state ]; then
  state_here "$2"
  exit
fi

# All of it. Counters, neighbours and addresses that a bridge has learned are what traffic leaves behind.
state() {
  for process in /proc/[0-9]*; do
    ! read -r name 2>/dev/null <"$process/comm" || echo "process ${process#/proc/} $name"
  done
  state_here host
  # shellcheck disable=SC2154 # of whoever reads this file
  for node in "$nodes"/*; do
    nsenter --net="$node" sh "$(dirname "$0")/host_state.sh" --state "$(basename "$node")"
  done
  cat /proc/self/mountinfo
  [ ! -e /proc/modules ] || awk '{print "module", $1}' /proc/modules
  find /run /etc /var/lib -xdev -printf 'file %p %T@ %s\n' | LC_ALL=C sort
}

# Whether `state` is what it was at `remember`.
# shellcheck disable=SC2154 # of whoever reads this file
remember() { state >"$folder/before" 2>/dev/null && state >"$folder/before"; }
compare() {
  state >"$folder/after"
  if diff "$folder/before" "$folder/after" >"$folder/difference"; then echo "STATE IS THE SAME"; else echo "STATE DIFFERS"; fi
  cat "$folder/difference"
}
