#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/engine/inference/layout.hpp"
#include "harness/engine/inference/promises.hpp"
#include "harness/engine/inference/view_facts.hpp"

/// Private to this folder: one file for each sort of promise.
namespace plumbline::engine::detail {

struct Context {
  const network::HostView& view;
  const InferenceOptions& options;
  const network::Node& host;
  const Layout& layout;
  ViewFacts& facts;
  std::vector<Promise>& promises;
  std::set<std::string>& made;

  /// False: that is promised already. A container on two networks stands in two segments, and a spec must not
  /// promise the same twice.
  bool fresh(const std::string& kind, const std::string& from, const std::string& to) const {
    return made.insert(kind + " " + from + " " + to).second;
  }
  void promise(const std::string& section, std::string comment, std::string check) const {
    promises.push_back({section, std::move(comment), std::move(check)});
  }
  /// What is not promised, and why.
  void remark(const std::string& section, std::string comment) const {
    promises.push_back({section, std::move(comment), {}});
  }
};

void promise_links(const Context& context, const Segment& segment);
void promise_reach(const Context& context, const Segment& segment);
void promise_egress(const Context& context, const Segment& segment);
void promise_isolation(const Context& context);
void promise_names(const Context& context);
void promise_ports(const Context& context);
void promise_solitude(const Context& context);

/// As YAML has it in a flow: in quotes where it would be something else than text.
std::string word(const std::string& text);
/// `a`, or `[a, b]`.
std::string words(const std::vector<std::string>& texts);

/// The first packet of a ping, as rules see it.
proof::firewall::RulePacket ping_packet(const IpAddress& from, const IpAddress& to, std::string iif,
                                        std::string oif);
/// The families in which both have an address, IPv4 first.
std::vector<IpFamily> shared_families(const Member& one, const Member& other);
/// Whether the host forwards what comes in by `dev`.
bool forwards(const Context& context, const std::string& dev, IpFamily family);

/// What becomes of a ping that the host is to forward.
RuleAnswer forwarded(const Context& context, const proof::firewall::RulePacket& packet);

/// The interface and gateway of the host's default route; absent: it has none.
struct Uplink {
  std::string dev;
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> address;  ///< of the host, there
};
std::optional<Uplink> uplink_to(const Context& context, const IpAddress& target);
std::optional<Uplink> default_uplink(const Context& context, IpFamily family);

}  // namespace plumbline::engine::detail
