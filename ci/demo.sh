#!/usr/bin/env bash
# Shows plumbline at work: installs what the build and the scenarios need, builds it optimised, runs the scenarios that ship.
#
#   ci/demo.sh [ARGUMENT…]      arguments go to `plumbline run`; without any, all scenarios that ship run
#
# Touches no interface, route or rule of this machine: everything happens in namespaces that end with the program.
# Exit status: that of `plumbline run` (0: every check passed), or 1 when it could not be built.
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == --help ]]; then
  help_of "$0"
  exit 0
fi
cd "$root"
ci/setup.sh build scripts
step "configure" cmake --preset release
step "build" cmake --build --preset release
program=build/release/plumbline
[[ -x $program ]] || fail "the build made no $program"
say "run: $program run $*"
status=0
"$program" run "$@" || status=$?
say "plumbline ended with exit status $status"
exit "$status"
