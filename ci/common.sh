# shellcheck shell=bash
# Sourced by the scripts beside it: messages, and the root of the tree.

# Used by those that source this.
# shellcheck disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# What is built must stay readable for the unprivileged test pass, whatever the caller's umask.
umask 022

say() { printf '[%(%H:%M:%S)T +%ds] %s\n' -1 "$SECONDS" "$*"; }

fail() {
  printf '[%(%H:%M:%S)T +%ds] FAILED: %s\n' -1 "$SECONDS" "$*" >&2
  exit 1
}

# Runs a command, saying so before, and how it failed after.
step() {
  local about=$1 status=0
  shift
  say "$about: $*"
  "$@" || status=$?
  ((status == 0)) || fail "$about: exit status $status from: $*"
}

# The printed lines of a script's own head comment, which is its help.
help_of() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

# True as root with more than one user id, that is, not merely "root" of a user namespace made by unshare.
is_real_root() {
  ((EUID == 0)) && awk '{ ids += $3 } END { exit !(ids > 1) }' /proc/self/uid_map
}
