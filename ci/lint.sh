#!/usr/bin/env bash
# Checks the sources' form.
#
#   ci/lint.sh [--format] [--tidy] [--shell] [--tests]     default: --format --tidy --shell
#
#   --format   clang-format 14 leaves every C++ file as it is (mend with: clang-format-14 -i FILE)
#   --tidy     clang-tidy 14 finds nothing; needs build/release, configured
#   --tests    clang-tidy reads tests, benchmarks and fuzzers too
#   --shell    shellcheck finds nothing
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check_format() {
  find harness checks ci docs -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
    xargs -0 --no-run-if-empty -n 16 -P "$(nproc)" clang-format-14 --dry-run -Werror ||
    fail "the files above are not as clang-format 14 lays them out; mend with: clang-format-14 -i FILE"
  say "format: every C++ file is as clang-format 14 lays it out"
}

check_tidy() {
  local database=build/release/compile_commands.json
  [[ -f $database ]] || fail "there is no $database; run first: cmake --preset ci"
  mkdir -p build/tidy
  # An option that g++ 12 needs and clang 14 does not know; for warnings that it does not know there is one to say so.
  sed 's/ -fcoroutines / /g' "$database" >build/tidy/compile_commands.json
  # harness/base/asio.cpp holds nothing of ours, only the whole of Asio.
  local files='/(harness|checks)/(?!base/asio\.cpp)(?!.*_(test|bench|fuzz)\.cpp).*\.cpp$'
  [[ $tests ]] && files='/(harness|checks)/(?!base/asio\.cpp).*\.cpp$'
  run-clang-tidy-14 -quiet -p build/tidy -extra-arg=-Wno-unknown-warning-option -j "$(nproc)" "$files" \
    >build/tidy/report.txt 2>build/tidy/errors.txt || {
    grep -v '^clang-tidy-14 ' build/tidy/report.txt || true
    fail "clang-tidy 14 found the above (.clang-tidy lists the checks; the whole report: build/tidy/report.txt)"
  }
  local count
  count=$(grep -c '^clang-tidy-14 ' build/tidy/report.txt || true)
  ((count > 0)) || fail "clang-tidy read no file at all: build/tidy/errors.txt"
  say "tidy: nothing found in $count files"
}

check_shell() {
  shellcheck --external-sources ci/*.sh .ci/run fixtures/setups/*/*.sh harness/cli/testing/*.sh \
    harness/engine/report/format/browser/*.sh || fail "shellcheck found the above"
  say "shellcheck: nothing found"
}

format='' tidy='' shell='' tests=''
for argument in "$@"; do
  case $argument in
    --format) format=yes ;;
    --tidy) tidy=yes ;;
    --shell) shell=yes ;;
    --tests) tests=yes ;;
    --help | -h) help_of "$0" && exit 0 ;;
    *) fail "unknown argument $argument; ci/lint.sh --help lists them" ;;
  esac
done
[[ $format$tidy$shell ]] || format=yes tidy=yes shell=yes
cd "$root"
[[ $format ]] && check_format
[[ $shell ]] && check_shell
[[ $tidy ]] && check_tidy
exit 0
