#!/usr/bin/env bash
# Checks rules that the compiler cannot: which folder may include what, and that nothing waits by sleeping.
#
#   ci/check-layers.sh [ROOT]
#
# 1. An #include never points up a wing: base < kernel < network < traffic < proof < engine < checks
#    < engine/run < engine/selftest, engine/mutation, engine/matrix, testing < testing/program, cli. Tests, benchmarks and fuzzers obey it too; only tests of checks
#    may use the runner.
# 2. Headers of libmnl, libnftnl, libnftables, libpcap, yaml-cpp, c-ares, libbpf, Boost.Process and Boost.Beast, and the
#    kernel's netlink and ip_tables headers, stay in the rooms that own them. Only a benchmark may talk bare netlink, to measure what
#    the rooms add to it.
# 3. Our own headers are included by their path from the root, so that rule 1 sees them.
# 4. No source sleeps: whatever is waited for is an event.
#
# Prints file:line: message for each violation. Exit status 0: none, 1: some, 2: usage.
set -euo pipefail

root=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)}
[[ -d $root/harness ]] || {
  printf 'ci/check-layers.sh: %s has no folder harness\n' "$root" >&2
  exit 2
}
cd "$root"
mapfile -d '' sources < <(find harness checks -type f \( -name '*.cpp' -o -name '*.hpp' -o -name '*.h' -o -name '*.c' \) -print0 | sort -z)

awk '
  function report(message) {
    printf "%s:%d: %s\n", FILENAME, FNR, message
    ++violations
  }

  # A higher wing may include a lower one, or its own. 0: no wing of ours.
  function rank(path) {
    if (path ~ /^harness\/base\//) return 1
    if (path ~ /^harness\/kernel\//) return 2
    if (path ~ /^harness\/network\//) return 3
    if (path ~ /^harness\/traffic\//) return 4
    if (path ~ /^harness\/proof\//) return 5
    if (path ~ /^harness\/engine\/run\//) return 8
    if (path ~ /^harness\/engine\/(selftest|mutation|matrix)\//) return 9
    if (path ~ /^harness\/engine\//) return 6
    if (path ~ /^checks\/(.*_(test|bench|fuzz)\.cpp|testing.*)$/) return 8
    if (path ~ /^checks\//) return 7
    if (path ~ /^harness\/testing\/program\//) return 10
    if (path ~ /^harness\/testing\//) return 9
    if (path ~ /^harness\/cli\//) return 10
    return 0
  }

  function room_rule(header, pattern, rooms, name) {
    if (header ~ /^linux\// && FILENAME ~ /_bench\.cpp$/) return
    if (header ~ pattern && FILENAME !~ rooms)
      report("<" header "> (" name ") may only be included below " readable(rooms))
  }

  function readable(rooms) {
    gsub(/[\^()]/, "", rooms)
    gsub(/\|/, " or ", rooms)
    return rooms
  }

  function check_include(line,    header, quoted) {
    quoted = line ~ /"/
    header = line
    sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", header)
    sub(/[">].*$/, "", header)
    if (rank(header)) {
      if (rank(header) > rank(FILENAME))
        report("#include \"" header "\" points up: a lower wing knows nothing of a higher one")
      return
    }
    if (quoted) {
      report("#include \"" header "\": name our own headers by their path from the root, others in <>")
      return
    }
    room_rule(header, "^libmnl/|^linux/(rtnetlink|netlink|if_link|if_addr|neighbour|fib_rules|veth)\\.h$", "^harness/kernel/(netlink|links|nftables|iptables_legacy|conntrack)/", "netlink")
    room_rule(header, "^libnftnl/|^nftables/|^linux/netfilter/nf_tables\\.h$", "^harness/kernel/nftables/", "nftables")
    room_rule(header, "^linux/netfilter/nfnetlink\\.h$", "^harness/kernel/(nftables|iptables_legacy|conntrack)/", "nfnetlink")
    room_rule(header, "^linux/netfilter/nfnetlink_conntrack\\.h$", "^harness/kernel/conntrack/", "ctnetlink")
    room_rule(header, "^linux/netfilter_ipv[46]/|^linux/netfilter/(nfnetlink_log|x_tables)\\.h$", "^harness/kernel/iptables_legacy/", "ip_tables and nfnetlink_log")
    room_rule(header, "^pcap([./]|$)", "^harness/traffic/capture/", "libpcap")
    room_rule(header, "^yaml-cpp/", "^harness/engine/spec/", "yaml-cpp")
    room_rule(header, "^ares", "^harness/traffic/probe/", "c-ares")
    room_rule(header, "^bpf/|^linux/(bpf|btf)\\.h$", "^harness/kernel/drops/", "libbpf")
    room_rule(header, "^boost/process", "^harness/kernel/process/", "Boost.Process")
    # Its deflate needs nothing but headers that are here, where zlib would be one library more.
    if (header ~ "^boost/beast/zlib") room_rule(header, "^boost/beast/zlib", "^harness/engine/report/packed", "Boost.Beast'\''s deflate")
    else room_rule(header, "^boost/beast", "^harness/network/engine_api/", "Boost.Beast")
  }

  FNR == 1 { in_comment = 0 }
  /^[ \t]*#[ \t]*include[ \t]*["<]/ { check_include($0); next }
  {
    code = $0
    gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
    if (in_comment) {
      if (!sub(/^.*\*\//, "", code)) next
      in_comment = 0
    }
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code)
    sub(/\/\/.*$/, "", code)
    if (sub(/\/\*.*$/, "", code)) in_comment = 1
    if (match(code, /(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep|clock_nanosleep|sleep_for|sleep_until)[ \t]*\(/))
      report("sleeps: wait for the event itself, with a deadline")
  }

  END {
    if (violations) {
      printf "%d violations of the rules in ci/check-layers.sh\n", violations
      exit 1
    }
  }
' "${sources[@]}" /dev/null
printf 'layers: %d files obey the rules\n' "${#sources[@]}"
