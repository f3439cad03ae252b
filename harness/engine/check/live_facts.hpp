#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/stage.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/proof/diagnosis/facts.hpp"

namespace plumbline::engine {

/// The network on a stage, as it is while this lives: each thing is read once.
class LiveFacts final : public proof::Facts {
 public:
  explicit LiveFacts(const Stage& stage) : stage_(stage) {}

  const network::Topology& topology() override { return stage_.topology(); }
  const network::Node* node(std::string_view name) override;
  proof::RouteAnswer route(std::string_view node, const proof::RouteQuestion& question) override;
  std::vector<proof::NeighbourFact> neighbours(std::string_view node) override;
  std::vector<proof::ForwardingFact> forwarding(std::string_view node, std::string_view bridge) override;
  std::optional<std::string> sysctl(std::string_view node, const std::string& path) override;
  const std::vector<proof::Chain>& chains(std::string_view node) override;
  std::optional<kernel::netlink::Link> link(std::string_view node, std::string_view interface) override;
  std::string silence_of_docker() override;

 private:
  const kernel::Netns* netns(std::string_view node) const;
  const std::vector<kernel::netlink::Link>& links(std::string_view node);

  const Stage& stage_;
  std::map<std::string, std::optional<network::Node>, std::less<>> nodes_;
  std::map<std::string, std::vector<kernel::netlink::Link>, std::less<>> links_;
  std::map<std::string, std::vector<proof::Chain>, std::less<>> chains_;
};

}  // namespace plumbline::engine
