#!/usr/bin/env bash
# Runs a command as an unprivileged user, from root: uid and gid 65534, no groups, no capabilities, and a HOME and
# TMPDIR of its own that end with it.
#
#   ci/as-nobody.sh COMMAND [ARGUMENT…]
#
# A tree below a folder that only root may enter (a clone in /root, or in a folder from mktemp -d) is made
# reachable at its own path in a private mount namespace; nothing changes outside.
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)

# The topmost folder on the way to the tree, or the tree itself, that the user may not enter.
closed_folder() {
  local path='' part
  local -a parts
  IFS=/ read -r -a parts <<<"${root#/}"
  for part in "${parts[@]}"; do
    path+=/$part
    "${as_nobody[@]}" test -r "$path" -a -x "$path" || { printf '%s\n' "$path" && return; }
  done
}

# Covers that folder with an empty one, and binds the tree's entries at their own paths again.
open_up() {
  local closed=$1 hold=$2 entry
  mount --rbind "$root" "$hold"
  mount -t tmpfs -o mode=755 plumbline-open "$closed"
  mkdir -p "$root"
  for entry in "$hold"/* "$hold"/.[!.]*; do
    [[ -e $entry ]] || continue
    if [[ -d $entry ]]; then mkdir "$root/${entry##*/}"; else : >"$root/${entry##*/}"; fi
    mount --rbind "$entry" "$root/${entry##*/}"
  done
  umount --recursive --lazy "$hold"
}

# What the tests read: the sources, and the programs of build/release.
require_readable() {
  local unreadable
  unreadable=$("${as_nobody[@]}" find "$root" \
    \( -path "$root/.git" -o -path "$root/build/*" ! -path "$root/build/release*" -o -name CMakeFiles \) -prune \
    -o ! -readable -print -quit 2>&1 || true)
  [[ -z $unreadable ]] ||
    fail "the unprivileged user cannot read the tree: $unreadable (cloned or built under a strict umask?)." \
      "Open it with: chmod -R a+rX '$root'"
}

inside() {
  local scratch=$1 closed
  shift
  closed=$(closed_folder)
  [[ -z $closed ]] || open_up "$closed" "$scratch/hold"
  cd "$root"
  require_readable
  export HOME=$scratch/home TMPDIR=$scratch/home USER=nobody LOGNAME=nobody
  exec "${as_nobody[@]}" "$@"
}

if [[ ${1:-} == --inside ]]; then
  inside "${@:2}"
fi
if (($# == 0)) || [[ $1 == --help ]]; then
  help_of "$0"
  exit 0
fi
is_real_root || fail "ci/as-nobody.sh changes the user, which only root may"
"${as_nobody[@]}" unshare --user --map-root-user true ||
  fail "unprivileged users may not make user namespaces here. See user.max_user_namespaces," \
    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile"
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
chmod 755 "$scratch"
mkdir "$scratch/hold" "$scratch/home"
chown 65534:65534 "$scratch/home"
unshare --mount --propagation private "$BASH" "$root/ci/as-nobody.sh" --inside "$scratch" "$@"
