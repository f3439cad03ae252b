#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "harness/network/cni/chain.hpp"
#include "harness/network/setup/runtime.hpp"

namespace plumbline::network {

/// What `setup: cni:` says.
struct CniPlan {
  struct Network {
    std::string file;  ///< for errors
    cni::Configuration configuration;
  };
  struct Container {
    std::string name;
    std::size_t network = 0;           ///< which of `networks`
    std::vector<IpAddress> addresses;  ///< that it must get; empty: whatever it gets
    std::string interface = "eth0";
    std::string arguments;      ///< CNI_ARGS
    boost::json::object known;  ///< for its plugins, by capability: portMappings, …
  };
  std::vector<Network> networks;
  std::vector<Container> containers;  ///< in the order in which they are added
  std::vector<std::string> path;      ///< CNI_PATH
  std::string where;                  ///< file:line:column of the spec, for errors
};

/// Has CNI plugins connect namespaces, as the CNI specification (0.3.0 to 1.0.0) asks of runtimes: ADD of
/// each container and CHECK, and in the end CHECK and DEL, after which the host must hold nothing of theirs.
class CniSetup final : public RuntimeSetup {
 public:
  explicit CniSetup(CniPlan plan) : plan_(std::move(plan)) {}

  Topology expected(const Topology& world) const override;
  boost::asio::awaitable<std::optional<std::string>> set_up(ScriptHost& host,
                                                            Topology& declared) const override;
  boost::asio::awaitable<void> take_down(ScriptHost& host) const override;

 private:
  boost::asio::awaitable<void> add(ScriptHost& host, const CniPlan::Container& container,
                                   Topology& declared) const;
  boost::asio::awaitable<void> remove(ScriptHost& host, const CniPlan::Container& container,
                                      std::string& problems) const;
  cni::Site site_in(ScriptHost& host) const;

  CniPlan plan_;
};

}  // namespace plumbline::network
