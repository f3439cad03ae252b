#!/usr/bin/env bash
# Checks that each folder that holds sources or data has a README.md, and that relative links in Markdown files
# lead to something, and that docs/writing-tests.md quotes its example as it is.
#
#   ci/check-docs.sh
set -euo pipefail
# shellcheck source=ci/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

violations=0
complain() {
  printf '%s\n' "$*"
  violations=$((violations + 1))
}

# Rooms of the harness and of the data, with the folders above them; a room's own testing/ is part of it.
mapfile -d '' files < <(find harness checks scenarios fixtures ci docs -type f -print0)
declare -A folders=()
for file in "${files[@]}"; do
  folder=$(dirname "$file")
  [[ $folder != */testing && $folder != */cmake && $folder != */examples ]] || continue
  while [[ $folder != . ]]; do
    folders[$folder]=1
    folder=$(dirname "$folder")
  done
done
while read -r folder; do
  [[ -s $folder/README.md ]] || complain "$folder/README.md is missing: what belongs there, what does not, how to add one"
done < <(printf '%s\n' "${!folders[@]}" | sort)

# Folders that hold what was built or fetched are no concern of this.
mapfile -d '' pages < <(find . \( -name .git -o -path ./build -o -path ./plumbline-out \) -prune -o -name '*.md' -print0)
links=0
for page in "${pages[@]}"; do
  while IFS=: read -r line link; do
    [[ $link =~ ^[a-z]+: || -z $link ]] && continue
    links=$((links + 1))
    [[ -e $(dirname "$page")/$link ]] || complain "${page#./}:$line: the link to $link leads nowhere"
  done < <(grep -noE '\]\([^)#]+' "$page" | sed -E 's/^([0-9]+):\]\(/\1:/')
done

# Blank lines aside, the page's C++ is the example's, all of it and in its order.
quoted=$(awk '/^```/ { inside = $0 == "```cpp"; next } inside' docs/writing-tests.md)
difference=$(diff -B <(printf '%s\n' "$quoted") docs/examples/office_test.cpp) ||
  complain "docs/writing-tests.md quotes something else than docs/examples/office_test.cpp says:"$'\n'"$difference"

((violations == 0)) || exit 1
printf 'docs: %d pages, %d links, nothing missing\n' "${#pages[@]}" "$links"
