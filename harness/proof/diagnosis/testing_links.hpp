#pragma once

#include <string>

#include "harness/proof/diagnosis/testing.hpp"

/// For tests of causes: a bridge with two containers, in order unless a test breaks it.
namespace plumbline::proof::testing {

/// container-one (.11) asks container-two (.12) or, by the host's bridge0 (192.168.99.1), anybody.
/// `fd00:99::` beside it.
class Plugged {
 public:
  Plugged() {
    network::Node& host = facts.add("host", network::Role::host);
    add(host, "bridge0", network::LinkKind::bridge, "02:00:00:00:99:01", "192.168.99.1/24", "fd00:99::1/64");
    for (const std::string& n : {std::string("1"), std::string("2")}) {
      network::Interface& port = add(*facts.network.find("host"), "veth" + n, network::LinkKind::veth,
                                     "02:00:00:00:98:0" + n, "", "");
      port.master = "bridge0";
      port.peer = network::Endpoint{n == "1" ? "container-one" : "container-two", "eth0"};
      facts.links.at("host:veth" + n).port.emplace();
    }
    container("container-one", "1");
    container("container-two", "2");
    question.from = "container-one";
    question.host = "host";
    question.outcome.status = traffic::ProbeOutcome::Status::timeout;
    ask("192.168.99.12", "container-two");
    question.outcome.identity.source = ip("192.168.99.11");
  }

  void ask(std::string_view to, const std::string& node) {
    question.to = ip(to);
    question.to_node = node;
  }
  /// container-one's route to the target, and how far it is with its next hop.
  void route(const std::string& node, const std::string& to, const std::string& dev,
             const std::string& via = {}) {
    RouteAnswer& answer = facts.routes[node + " " + to];
    answer.dev = dev;
    if (!via.empty()) answer.via = ip(via);
  }
  NeighbourFact& neighbour(const std::string& node, const std::string& dev, std::string_view address,
                           kernel::netlink::NeighbourState state) {
    NeighbourFact& known = facts.neighbours_of[node].emplace_back();
    known.dev = dev;
    known.address = ip(address);
    known.state = state;
    return known;
  }
  /// container-one asks on its link for container-two, in vain.
  void ask_in_vain() {
    route("container-one", "192.168.99.12", "eth0");
    neighbour("container-one", "eth0", "192.168.99.12", kernel::netlink::NeighbourState::incomplete);
  }
  kernel::netlink::Link& link(const std::string& place) { return facts.links.at(place); }
  network::Interface& interface(const std::string& node, const std::string& name) {
    return *facts.network.find(node)->find_interface(name);
  }

  FakeFacts facts;
  Case question;

 private:
  network::Interface& add(network::Node& node, const std::string& name, network::LinkKind kind,
                          std::string_view mac, std::string_view v4, std::string_view v6) {
    network::Interface& made = node.interfaces.emplace_back();
    made.name = name;
    made.kind = kind;
    made.running = true;
    made.mac = MacAddress::parse(mac);
    for (const std::string_view text : {v4, v6}) {
      if (!text.empty()) made.addresses.push_back(InterfaceAddress::parse(text).value());
    }
    kernel::netlink::Link& link = facts.links[node.name + ":" + name];
    link.name = name;
    link.kind = kind == network::LinkKind::bridge ? "bridge" : "veth";
    link.up = link.running = true;
    link.mtu = 1500;
    link.mac = made.mac;
    return made;
  }
  void container(const std::string& name, const std::string& n) {
    network::Interface& eth0 =
        add(facts.add(name, network::Role::container), "eth0", network::LinkKind::veth,
            "02:00:00:00:97:0" + n, "192.168.99.1" + n + "/24", "fd00:99::1" + n + "/64");
    eth0.peer = network::Endpoint{"host", "veth" + n};
  }
};

}  // namespace plumbline::proof::testing
