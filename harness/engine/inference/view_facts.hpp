#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/network/discovery/host_view.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/rule_words.hpp"

namespace plumbline::engine {

/// A discovered host as facts: what was read, and the kernel's own routing decisions, asked for now.
class ViewFacts final : public proof::Facts {
 public:
  /// `view` outlives it.
  explicit ViewFacts(const network::HostView& view);

  const network::Topology& topology() override { return view_.topology; }
  const network::Node* node(std::string_view name) override { return view_.topology.find(name); }
  proof::RouteAnswer route(std::string_view node, const proof::RouteQuestion& question) override;
  std::vector<proof::NeighbourFact> neighbours(std::string_view /*node*/) override { return {}; }
  std::vector<proof::ForwardingFact> forwarding(std::string_view /*node*/,
                                                std::string_view /*bridge*/) override {
    return {};
  }
  std::optional<std::string> sysctl(std::string_view node, const std::string& path) override;
  const std::vector<proof::Chain>& chains(std::string_view node) override;
  std::optional<kernel::netlink::Link> link(std::string_view node, std::string_view interface) override;

 private:
  const network::HostView& view_;
  std::map<std::string, std::vector<proof::Chain>, std::less<>> chains_;
  std::map<std::string, std::vector<kernel::netlink::Link>, std::less<>> links_;
};

/// What rules do with a packet, as far as they can be read.
struct RuleAnswer {
  enum class Kind : std::uint8_t { passes, stops, unknown };
  Kind kind = Kind::passes;
  std::string by;  ///< who stops it, or leaves it unknown: "policy drop of host's ip filter FORWARD"
  bool stops() const noexcept { return kind == Kind::stops; }
  bool passes() const noexcept { return kind == Kind::passes; }
  /// Meets `next` too, wherever it comes: who stops it for certain is named before the first who may.
  void then(const RuleAnswer& next, std::string_view before = {});
};

/// At one hook of `node`, by all base chains but those of NAT. The packet is a ping, or its answer.
RuleAnswer rules_at(ViewFacts& facts, std::string_view node, proof::Hook hook,
                    const proof::firewall::RulePacket& packet);
/// The same of the rules about a bridge's frames, between ports; of IPv4 the question for its address too.
RuleAnswer frame_rules_at(ViewFacts& facts, std::string_view node, proof::Hook hook,
                          const proof::firewall::RulePacket& packet);
/// Whether rules may give a mark to what comes in there, and `node` routes by marks: then its route is
/// unknown.
RuleAnswer marked_at(ViewFacts& facts, std::string_view node, const proof::firewall::RulePacket& packet);

/// How a packet's source is translated where it leaves `node`.
struct SourceNat {
  enum class Kind : std::uint8_t { none, masquerade, snat, unknown };
  Kind kind = Kind::none;
  std::string to;  ///< of snat, as the rule says it
  std::string by;
};
SourceNat source_nat(ViewFacts& facts, std::string_view node, const proof::firewall::RulePacket& packet);

}  // namespace plumbline::engine
