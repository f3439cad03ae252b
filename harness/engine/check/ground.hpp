#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/journey/journey.hpp"

namespace plumbline::engine {

/// What journeys are laid out on, of one topology.
class Ground {
 public:
  Ground() = default;
  explicit Ground(const network::Topology& topology);

  const proof::Cables& cables() const noexcept { return cables_; }
  /// Of macvlans: what each lies on.
  const proof::Cables& lowers() const noexcept { return lowers_; }
  /// Whom `node`'s routes may hand packets to.
  const std::vector<IpAddress>& gateways(const std::string& node) const;

 private:
  proof::Cables cables_;
  proof::Cables lowers_;
  std::map<std::string, std::vector<IpAddress>> gateways_;
};

}  // namespace plumbline::engine
