#include "harness/network/discovery/firewall_text.hpp"

#include <utility>

#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/netns/module.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::network {

FirewallText read_firewall(const kernel::Netns& netns) {
  FirewallText text;
  if (kernel::has_module("nf_tables")) {
    text.nft = kernel::nft::list_text(netns, kernel::nft::ListCounters::no);
  }
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    for (const std::string& name : kernel::iptables::table_names(netns, family)) {
      auto table = kernel::iptables::read_table(netns, family, name);
      if (table) text.legacy[{family == IpFamily::v4 ? "ip" : "ip6", name}] = *std::move(table);
    }
  }
  return text;
}

}  // namespace plumbline::network
