#!/usr/bin/env bash
# Installs plumbline into a folder of its own, builds ci/consumer from there as its users would, and runs the tests of
# that: specs as ctest tests, and GoogleTest cases with networks.
#
#   ci/consumer_test.sh BUILD_FOLDER
#
# Exit status 77: this machine refuses namespaces (with CI=true that is a failure).
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
build=${1:?ci/consumer_test.sh BUILD_FOLDER}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/moved

# Moved after it was installed: nothing in it may name the place that it was installed to.
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" 2>&1 || { cat "$work/install.log" && fail "install"; }
mv "$work/prefix" "$prefix"
# The source tree is where the program would fall back to; neither it nor a leftover variable may help.
unset PLUMBLINE_DATA PLUMBLINE_SPECS

listed=$(cd / && "$prefix/bin/plumbline-gtest" --list-checks | wc -l)
((listed > 100)) || fail "the installed plumbline-gtest lists only $listed checks"
place=$(cd / && "$prefix/bin/plumbline-gtest" --list-checks | sed -n '1s/^[^\t]*\t\(.*\):[0-9]*\t.*$/\1/p')
[[ $place == "${prefix#/}"/share/plumbline/scenarios/* || $place == "$prefix"/share/plumbline/scenarios/* ]] ||
  fail "the installed plumbline-gtest took its scenarios from $place"

cp -r "$root/ci/consumer" "$work/consumer"
cmake -S "$work/consumer" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Wconversion -Werror" >"$work/configure.log" 2>&1 ||
  { cat "$work/configure.log" && fail "configure"; }
cmake --build "$work/build" >"$work/build.log" 2>&1 || { cat "$work/build.log" && fail "build"; }
grep -qF "$prefix/share/plumbline" "$work/build/network_test" || fail "the consumer's own program does not know where the worlds are"

cd "$work/build"
expect_tests() {
  local count
  count=$(ctest -N "${@:2}" | sed -n 's/^Total Tests: //p')
  ((count == $1)) || fail "expected $1 tests from ctest $*, found $count: $(ctest -N "${@:2}")"
}
# Each scenario is one more, which builds its network.
expect_tests 6
expect_tests 5 -L '^scenario$' -L '^mine$' -L '^native$'
ctest -N | grep -F ': consumer/shop.native/deny shop -> 10.1.2.3 tcp/80' >/dev/null || fail "names: $(ctest -N)"

status=0
ctest --output-on-failure >"$work/tests.log" 2>&1 || status=$?
if grep -q 'no sandbox here' <("$work/build/network_test" 2>&1 || true) && [[ ${CI:-} != true ]]; then
  ((status == 0)) || { cat "$work/tests.log" && fail "where namespaces are refused, tests are skipped"; }
  say "this machine refuses namespaces: skipped"
  exit 77
fi
((status == 0)) || { cat "$work/tests.log" && fail "the consumer's tests"; }
grep -q '100% tests passed, 0 tests failed out of 6' "$work/tests.log" || { cat "$work/tests.log" && fail "not all ran"; }

# A spec that is new, changed or wrong needs no new configuration.
sed 's/^name: shop/name: kiosk/' "$work/consumer/specs/shop.yaml" >"$work/consumer/specs/kiosk.yaml"
expect_tests 11
printf 'nonsense: true\n' >"$work/consumer/specs/kiosk.yaml"
expect_tests 7
! ctest --output-on-failure -R 'can be read' >"$work/wrong.log" 2>&1 || fail "a wrong spec passes: $(cat "$work/wrong.log")"
grep -q "kiosk.yaml:1:1: unknown key 'nonsense'" "$work/wrong.log" || fail "a wrong spec says: $(cat "$work/wrong.log")"
rm "$work/consumer/specs/kiosk.yaml"

# A promise that is broken fails, with its proof.
sed -i 's/masquerade: ens4/masquerade: ens5/' "$work/consumer/specs/shop.yaml"
! ctest --output-on-failure -R 'egress shop -> internet tcp/80' >"$work/broken.log" 2>&1 ||
  fail "a broken network passes: $(cat "$work/broken.log")"
grep -q 'observed  left host by ens4 as 192.168.99.11 instead of 192.168.16.10' "$work/broken.log" ||
  fail "a broken network says: $(cat "$work/broken.log")"
say "the installed package serves its users: $listed checks that ship, 5 of the consumer's"
