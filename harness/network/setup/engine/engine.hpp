#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/network/setup/runtime.hpp"

namespace plumbline::network {

/// What `setup: docker:` and `setup: podman:` say.
struct EngineSetup {
  enum class Engine : std::uint8_t { docker, podman };
  /// Which of the host's two iptables the engine finds.
  enum class Iptables : std::uint8_t { as_installed, nft, legacy };

  struct Network {
    std::string name;
    std::vector<Prefix> subnets;  ///< at most one of each family; none: the engine chooses
    bool internal = false;
    std::map<std::string, std::string> options;  ///< the bridge driver's own
    std::string where;                           ///< file:line:column, as all of that name here; for errors
  };
  struct Attachment {
    std::string network;  ///< empty: the engine's default one
    std::vector<IpAddress>
        addresses;  ///< at most one of each family; on the default network what is expected
    std::string where;
  };
  struct Publish {
    std::optional<IpAddress> address;  ///< of the host; absent: all
    std::uint16_t host_port = 0;
    std::uint16_t port = 0;  ///< the container's
    bool udp = false;        ///< otherwise TCP
    std::string where;
  };
  struct Container {
    std::string name;
    std::vector<Attachment> attachments;  ///< at least one
    std::vector<Publish> publish;
    std::string where;
  };

  Engine engine = Engine::docker;
  Iptables iptables = Iptables::as_installed;
  boost::json::object daemon;  ///< of docker: daemon.json, beside what we give it ourselves
  std::string daemon_where;
  std::vector<Network> networks;
  std::vector<Container> containers;
  std::string where;  ///< file:line:column of the spec that says so, for errors
};

/// "docker", "podman".
const char* engine_name(EngineSetup::Engine engine);
/// Why a setup of that engine would be skipped on this machine: "docker needs dockerd, which is not here:
/// apt-get install docker.io", or that this user may not; absent: all is here. `path`: where programs are
/// looked for.
std::optional<std::string> missing_for(EngineSetup::Engine engine, const std::string& path);
/// The address that an engine gives a network's bridge where nobody says otherwise.
IpAddress first_of(const Prefix& subnet);

/// A container engine with its own daemon, inside the disposable host: nothing of it is seen or left outside.
class EngineRuntime final : public RuntimeSetup {
 public:
  explicit EngineRuntime(EngineSetup setup) : setup_(std::move(setup)) {}

  Topology expected(const Topology& world) const override;
  boost::asio::awaitable<std::optional<std::string>> set_up(ScriptHost& host,
                                                            Topology& declared) const override;
  boost::asio::awaitable<void> follow(ScriptHost& host, Topology& declared) const override;

 private:
  EngineSetup setup_;
};

}  // namespace plumbline::network
