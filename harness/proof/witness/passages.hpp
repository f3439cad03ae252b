#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/iptables_legacy/trace_event.hpp"
#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/trace.hpp"
#include "harness/proof/witness/kernel_path.hpp"
#include "harness/proof/witness/reports.hpp"

namespace plumbline::proof {

/// What one namespace's kernel reported about one probe, in the order in which each socket delivered it.
struct NodeReports {
  struct Nft {
    std::shared_ptr<const ChainReport> report;
    Leg leg = Leg::forward;
  };
  struct Legacy {
    kernel::iptables::TraceEvent event;
    Leg leg = Leg::forward;
  };
  std::vector<Nft> nft;
  std::vector<Legacy> legacy;
};

/// What the numbers in the reports stand for, in one namespace.
struct Rulebook {
  using LegacyKey = std::pair<IpFamily, std::string>;  ///< and the table's name
  kernel::nft::Listing nft;
  std::map<LegacyKey, kernel::iptables::Table> legacy;
  std::function<std::string(unsigned index)> interface_name;
  std::string own_table{kernel::nft::Trace::kTable};
};

/// The passages of the probe's packets through `node`'s hooks. Our own table tells the hooks and is not
/// shown.
std::vector<Passage> passages(const std::string& node, const NodeReports& reports, const Rulebook& rules);

}  // namespace plumbline::proof
