#!/usr/bin/env bash
# Tests ci/check-layers.sh: it passes the tree as it is, and notices each rule broken in a copy of it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failures=0

# Plants LINE in FILE of an empty tree and expects the check to end with STATUS and to say TEXT.
expect() {
  local status=$1 text=$2 file=$3 line=$4 output actual=0
  rm -rf "${copy:?}"/*
  mkdir -p "$copy/harness" "$copy/checks" "$copy/$(dirname "$file")"
  printf '#pragma once\n%s\n' "$line" >"$copy/$file"
  output=$("$BASH" "$here/check-layers.sh" "$copy" 2>&1) || actual=$?
  if ((actual != status)) || [[ $output != *"$text"* ]]; then
    printf 'FAILED: %s with "%s": expected status %d and "%s", got status %d and:\n%s\n' \
      "$file" "$line" "$status" "$text" "$actual" "$output"
    failures=$((failures + 1))
  fi
}

up='points up'
expect 0 'obey' harness/kernel/netns/a.cpp '#include "harness/base/fd.hpp"'
expect 1 "harness/base/a.hpp:2: #include \"harness/kernel/netns/netns.hpp\" $up" \
  harness/base/a.hpp '#include "harness/kernel/netns/netns.hpp"'
expect 1 "$up" harness/kernel/netns/a.cpp '#include "harness/network/topology/model.hpp"'
expect 1 "$up" harness/network/setup/a.cpp '#include "harness/traffic/probe/probe.hpp"'
expect 1 "$up" harness/traffic/probe/a_test.cpp '#  include "harness/proof/journey/journey.hpp"'
expect 0 'obey' harness/traffic/probe/a_test.cpp '#include "harness/network/service/service.hpp"'
expect 1 "$up" harness/proof/journey/a.cpp '#include "harness/engine/check/check.hpp"'
expect 1 "$up" harness/engine/check/a.cpp '#include "checks/reach.hpp"'
expect 1 "$up" checks/a.cpp '#include "harness/engine/run/runner.hpp"'
expect 0 'obey' checks/a_netns_test.cpp '#include "harness/engine/run/runner.hpp"'
expect 1 "$up" checks/a_test.cpp '#include "harness/cli/command.hpp"'
expect 1 "$up" harness/engine/check/a_test.cpp '#include "harness/engine/run/runner.hpp"'
expect 0 'obey' harness/engine/run/a.cpp '#include "checks/registry.hpp"'
expect 1 "$up" harness/engine/run/a.cpp '#include "harness/cli/options.hpp"'
expect 0 'obey' harness/testing/a.hpp '#include "harness/engine/run/runner.hpp"'
expect 1 "$up" harness/engine/run/a_test.cpp '#include "harness/testing/network.hpp"'
expect 1 "$up" harness/testing/a_test.cpp '#include "harness/cli/command.hpp"'
expect 0 'obey' harness/cli/a.cpp '#include "harness/testing/specs.hpp"'
expect 1 'path from the root' harness/engine/run/a.cpp '#include "../cli/options.hpp"'
expect 0 'obey' harness/kernel/links/a.cpp '#include <linux/rtnetlink.h>'
expect 1 'netlink' harness/network/topology/a.cpp '#include <linux/rtnetlink.h>'
expect 0 'obey' harness/network/topology/a_bench.cpp '#include <linux/rtnetlink.h>'
expect 1 'netlink' harness/network/topology/a_bench.cpp '#include <libmnl/libmnl.h>'
expect 1 'netlink' harness/kernel/netns/a.cpp '#include <libmnl/libmnl.h>'
expect 1 'nftables' harness/kernel/links/a.cpp '#include <libnftnl/rule.h>'
expect 1 'nftables' harness/network/setup/a.cpp '#include <nftables/libnftables.h>'
expect 1 'nfnetlink' harness/proof/witness/a.cpp '#include <linux/netfilter/nfnetlink.h>'
expect 0 'obey' harness/kernel/iptables_legacy/a.cpp '#include <linux/netfilter/nfnetlink.h>'
expect 0 'obey' harness/kernel/iptables_legacy/a.cpp '#include <linux/netfilter_ipv4/ip_tables.h>'
expect 1 'ip_tables' harness/kernel/nftables/a.cpp '#include <linux/netfilter_ipv6/ip6_tables.h>'
expect 1 'ip_tables' harness/proof/witness/a.cpp '#include <linux/netfilter/nfnetlink_log.h>'
expect 1 'libpcap' harness/proof/journey/a.cpp '#include <pcap.h>'
expect 1 'libpcap' harness/traffic/probe/a.cpp '#include <pcap/pcap.h>'
expect 1 'yaml-cpp' checks/a.cpp '#include <yaml-cpp/yaml.h>'
expect 1 'c-ares' harness/network/service/a.cpp '#include <ares.h>'
expect 1 'libbpf' harness/proof/witness/a.cpp '#include <bpf/libbpf.h>'
expect 1 'libbpf' harness/kernel/netns/a.c '#include <linux/bpf.h>'
expect 0 'obey' harness/kernel/drops/bpf/a.bpf.c '#include <bpf/bpf_helpers.h>'
expect 1 'sleeps' checks/a.cpp '  std::this_thread::sleep_for(std::chrono::seconds(1));'
expect 1 'sleeps' harness/base/a.cpp 'void f() { ::usleep (5); }'
expect 1 'sleeps' harness/base/a.cpp 'sleep(1);'
expect 1 'sleeps' harness/base/a.cpp '/* a */ sleep(1); // b'
expect 0 'obey' harness/base/a.cpp '// never sleep_for(1)'
expect 0 'obey' harness/base/a.cpp 'run("sleep(1)"); /* sleep(1) */ oversleep(1);'
expect 0 'obey' harness/base/a.cpp $'/* first\nsleep(1)\n*/'
expect 1 'a.cpp:5: sleeps' harness/base/a.cpp $'/* first\n*/\n\nsleep(1);'

((failures == 0)) || exit 1
printf 'check-layers notices every planted violation\n'
