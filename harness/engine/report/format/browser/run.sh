#!/usr/bin/env bash
# Makes HTML reports, with the program itself where that can be, and looks at them in headless Chromium.
#
#   run.sh PLUMBLINE PAGE_SAMPLES FOLDER       reports and screenshots go into FOLDER, which also holds node_modules
#   run.sh --install FOLDER                    what the tests need of npm, into FOLDER/node_modules
#
# Skips (77) where node >= 18, Chromium or FOLDER/node_modules is missing; with PLUMBLINE_REPORT_TOOLS=required that
# is a failure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

skip() {
  printf '%s\n' "$*" >&2
  [[ ${PLUMBLINE_REPORT_TOOLS:-} != required ]] || exit 1
  exit 77
}

has_node() {
  command -v node >/dev/null && (($(node -p 'process.versions.node.split(".")[0]') >= 18))
}

if [[ ${1:-} == --install ]]; then
  mkdir -p "$2"
  cmp -s "$here/package-lock.json" "$2/package-lock.json" && [[ -d $2/node_modules/playwright-core ]] && exit 0
  cp "$here/package.json" "$here/package-lock.json" "$2/"
  cd "$2"
  exec npm ci --ignore-scripts --no-audit --no-fund
fi

plumbline=$1 samples=$2 folder=$3
has_node || skip "node, version 18 or newer, is missing (package nodejs)"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "Chromium is missing (package chromium)"
[[ -d $folder/node_modules/playwright-core ]] || skip "playwright-core is missing: ${BASH_SOURCE[0]} --install $folder"

rm -rf "$folder/reports" "$folder/screenshots"
mkdir -p "$folder/reports" "$folder/screenshots"
report() {
  local name=$1 expected=$2 spec=$3 status=0
  "$plumbline" run "$spec" --setup native --quiet --out "$folder/reports/traces" --report "json=$folder/reports/$name.json" \
    --report "html=$folder/reports/$name.html" >"$folder/reports/$name.txt" 2>&1 || status=$?
  ((status != 3)) || skip "this machine lets nobody make namespaces: $(cat "$folder/reports/$name.txt")"
  ((status == expected)) || { cat "$folder/reports/$name.txt"; printf 'exit status %s, not %s\n' "$status" "$expected"; exit 1; }
}
report healthy 0 scenarios/diy.yaml
report broken 1 "$here/broken.yaml"
"$samples" "$folder/reports" "$folder/reports/healthy.json"

status=0
for tests in page data; do
  CHROMIUM=$chromium node "$here/${tests}_test.mjs" "$folder" || status=1
done
exit "$status"
