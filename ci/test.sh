#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, and runs all tests through ctest.
#
#   ci/test.sh [--quick] [--lint] [--sanitizers] [--runtimes] [--reports] [--help]
#
#   --quick        only the tests as the calling user, without the passes below
#   --lint         also the source format, clang-tidy and shellcheck
#   --sanitizers   also everything once more under AddressSanitizer with UndefinedBehaviorSanitizer, and
#                  under ThreadSanitizer
#   --runtimes     also installs Docker, Podman and the CNI plugins, whose scenarios are skipped where they are
#                  missing. Never unasked: on an ordinary machine these packages start services, now or at the
#                  next boot, and change its firewall
#   --reports      also installs what reads the reports: promtool, a browser, and with npm, into
#                  build/release/browser, what drives it. The tests with them must then run; the browser's
#                  screenshots stay there. Debian's package with promtool is Prometheus itself, a service
#
# The tests that need namespaces (label netns) and all scenarios that ship run several times: as the calling user;
# when that is root, as an unprivileged user too; and inside `unshare -Urn`. The pass over all tests comes last, with
# ctest's own summary.
# With CI=true a test that skips because namespaces are refused is a failure.
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

quick='' lint='' sanitizers='' runtimes='' reports=''
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    --lint) lint=yes ;;
    --sanitizers) sanitizers=yes ;;
    --runtimes) runtimes=yes ;;
    --reports) reports=yes ;;
    --help | -h) help_of "$0" && exit 0 ;;
    *) fail "unknown argument $argument; ci/test.sh --help lists them" ;;
  esac
done
jobs=$(nproc)
[[ ! $reports ]] || export PLUMBLINE_REPORT_TOOLS=required

# Tests with namespaces once more, as someone else. ctest gets a folder of its own for its log, because the build
# folder is not the other user's.
netns_pass() {
  local about=$1
  shift
  # The inner shell, not this one, expands its variables.
  # shellcheck disable=SC2016
  step "$about" "$@" bash -euc '
    folder=$(mktemp -d)
    trap "rm -rf \"$folder\"" EXIT
    printf "subdirs(\"%s\")\n" "$1" >"$folder/CTestTestfile.cmake"
    cd "$folder"
    ctest --label-regex "^netns$" --output-on-failure --no-tests=error --parallel "$2"' \
    netns_pass "$root/build/release" "$jobs"
}

# Every scenario that ships, with every setup, as that user.
scenarios_pass() {
  local about=$1
  shift
  step "$about" "$@" "$root/build/release/plumbline" run --quiet --trace none
}

# The catalogue of faults, as that user: kernels tell him less.
selftest_pass() {
  local about=$1
  shift
  step "$about" "$@" "$root/build/release/plumbline" selftest --quiet
}

sanitized() {
  local preset=$1
  shift
  step "configure $preset" cmake --preset "$preset"
  step "build $preset" cmake --build --preset "$preset"
  step "test $preset" "$@" ctest --preset "$preset" --no-tests=error --parallel "$jobs"
}

cd "$root"
groups=(build scripts test)
[[ $lint ]] && groups+=(lint)
[[ $runtimes ]] && groups+=(runtimes)
[[ $reports ]] && groups+=(reports)
# A Node that is there may be another maker's, whose package Debian's would push out.
[[ $reports ]] && ! command -v npm >/dev/null && groups+=(node)
ci/setup.sh "${groups[@]}"
[[ $lint ]] && step "source format" ci/lint.sh --format
step "configure" cmake --preset ci
[[ $reports ]] && step "playwright-core" harness/engine/report/format/browser/run.sh --install build/release/browser
step "build" cmake --build --preset ci
[[ $lint ]] && step "clang-tidy and shellcheck" ci/lint.sh --tidy --shell

if [[ $sanitizers ]]; then
  sanitized asan-ubsan
  # ThreadSanitizer needs its shadow memory where this kernel's address randomisation may put other things.
  sanitized tsan setarch --addr-no-randomize
fi

if [[ ! $quick ]]; then
  # Writes the lists of tests beside their programs, where the other user cannot.
  ctest --preset ci --show-only >/dev/null || fail "ctest could not list the tests"
  if is_real_root; then
    netns_pass "namespaces as an unprivileged user" ci/as-nobody.sh
    netns_pass "namespaces inside unshare -Urn" ci/as-nobody.sh unshare -Urn
    scenarios_pass "scenarios as an unprivileged user" ci/as-nobody.sh
    selftest_pass "faults as an unprivileged user" ci/as-nobody.sh
    scenarios_pass "scenarios inside unshare -Urn" ci/as-nobody.sh unshare -Urn
  else
    netns_pass "namespaces inside unshare -Urn" unshare -Urn
    scenarios_pass "scenarios inside unshare -Urn" unshare -Urn
  fi
fi

step "all tests" ctest --preset ci --no-tests=error --parallel "$jobs"
