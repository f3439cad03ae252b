#!/usr/bin/env bash
# Checks that each folder of the folder map that exists has a README.md, and that relative links in Markdown files
# lead to something.
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

for folder in harness harness/{base,kernel,network,traffic,proof,engine,cli} checks scenarios fixtures ci docs; do
  [[ ! -d $folder || -s $folder/README.md ]] || complain "$folder/README.md is missing: what belongs there, what does not, how to add one"
done

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

((violations == 0)) || exit 1
printf 'docs: %d pages, %d links, nothing missing\n' "${#pages[@]}" "$links"
