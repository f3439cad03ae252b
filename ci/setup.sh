#!/usr/bin/env bash
# Installs the Debian 12 packages of the groups named (default: build), those that are missing, with apt-get.
#
#   ci/setup.sh [GROUP…]        groups of ci/packages.txt: build scripts test reports node lint runtimes runtime
#
# Needs root or a sudo that asks no password. Without them, or without apt-get, it fails and names the packages
# to install by hand. Does nothing when all is there. Container runtimes are installed only where the group runtimes is
# named; no service of what it installs is started meanwhile.
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

packages_of() {
  awk -v wanted=" $* " '
    /^\[/ { group = substr($1, 2, length($1) - 2); known = known " " group; next }
    NF && !/^#/ && index(wanted, " " group " ") { print $1 }
    END {
      count = split(wanted, names, " ")
      for (i = 1; i <= count; ++i)
        if (!index(known " ", " " names[i] " ")) {
          print "ci/packages.txt has no group \"" names[i] "\"; it has:" known > "/dev/stderr"
          exit 1
        }
    }' "$root/ci/packages.txt"
}

# Those of its arguments that are not installed.
missing_of() {
  local installed
  # dpkg-query's own status is that of the packages it does not know, which is the question here.
  # shellcheck disable=SC2016
  installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(awk '$2 == "installed" { print $1 }' <<<"$installed" | sort -u)
}

if [[ ${1:-} == --help ]]; then
  help_of "$0"
  exit 0
fi
(($#)) || set -- build
wanted=$(packages_of "$@") || exit 1
mapfile -t wanted <<<"$wanted"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  fail "this is no Debian system (no apt-get). Install what these Debian 12 packages hold, then build by hand:" \
    "cmake --preset release && cmake --build --preset release. Packages: ${wanted[*]}"
fi
mapfile -t missing < <(missing_of "${wanted[@]}")
if ((${#missing[@]} == 0)); then
  say "set-up ($*): all ${#wanted[@]} packages are installed"
  exit 0
fi

as_root=()
if ! is_real_root; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    fail "packages are missing, and installing them needs root or sudo without a password." \
      "Run as root: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  fi
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
say "set-up ($*): installing ${missing[*]}"
# Debian's packages ask this before they start a service (invoke-rc.d). One that is there already stays.
policy=/usr/sbin/policy-rc.d
allow_services() { "${as_root[@]}" rm -f "$policy"; }
if [[ ! -e $policy ]]; then
  trap allow_services EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
# Package lists already here may do, so a failed update (no network, but a local mirror) does not yet end it.
"${apt[@]}" update </dev/null || say "apt-get update failed; trying with the package lists that are here"
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null ||
  fail "apt-get could not install: ${missing[*]}. Its own message stands above; Debian 12 (bookworm) has them all"
mapfile -t missing < <(missing_of "${wanted[@]}")
((${#missing[@]} == 0)) || fail "apt-get reported success, but these are not installed: ${missing[*]}"
