#include "checks/link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <set>

#include "harness/base/deadline.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/network/discovery/discover.hpp"

namespace plumbline::checks {
namespace {

using boost::asio::awaitable;
using engine::Judgement;
using engine::Verdict;
using network::Interface;
using network::Node;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "minProperties": 1,
  "oneOf": [
    {"required": ["dev"], "not": {"anyOf": [{"required": ["absent"]}, {"required": ["only"]}]},
     "anyOf": [{"required": ["state"]}, {"required": ["kind"]}, {"required": ["peer"]}, {"required": ["master"]},
               {"required": ["mtu"]}, {"required": ["addresses"]}, {"required": ["mac"]},
               {"required": ["promiscuous"]}]},
    {"required": ["absent"], "propertyNames": {"enum": ["in", "absent"]}},
    {"required": ["only"], "propertyNames": {"enum": ["in", "only"]}}
  ],
  "properties": {
    "in": {"$ref": "#/$defs/nodes", "description": "The node or nodes; the host by default."},
    "dev": {"$ref": "#/$defs/interface"},
    "state": {"enum": ["up", "no-carrier", "down"],
              "description": "up: and running, so the other end of its cable is up; no-carrier: up, but that is not."},
    "kind": {"type": "string", "minLength": 1, "description": "The kernel's word: veth, bridge, macvlan, …; loopback for lo."},
    "peer": {"$ref": "#/$defs/endpoint", "description": "The veth's other end, NODE:INTERFACE."},
    "master": {"$ref": "#/$defs/interface", "description": "The bridge that it is a port of; none: it is no port."},
    "mtu": {"type": "integer", "minimum": 68, "maximum": 65536},
    "addresses": {"description": "Exactly these, IPv6 link-local ones aside; with a prefix length it counts too.",
                  "oneOf": [{"$ref": "#/$defs/network"}, {"type": "array", "items": {"$ref": "#/$defs/network"}}]},
    "mac": {"type": "string", "pattern": "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"},
    "promiscuous": {"type": "boolean", "description": "By the administrator's word: a program that listens does not count."},
    "absent": {"$ref": "#/$defs/interface", "description": "There is no interface of that name."},
    "only": {"$ref": "#/$defs/interfaces", "description": "These interfaces and no others."}
  }
})";

/// How long a change that is under way may take to settle: carrier is told with a delay, and so is the end
/// of duplicate address detection.
constexpr std::chrono::milliseconds kSettles{1000};

bool is_kernels_own(const IpAddress& address) {
  return !address.is_v4() && address.is_link_local();
}

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

std::string text_of(const PromisedAddress& promised) {
  if (!promised.prefix_length) return promised.address.to_string();
  return fmt::format("{}/{}", promised.address.to_string(), *promised.prefix_length);
}

bool is_meant(const PromisedAddress& promised, const InterfaceAddress& held) {
  return promised.address == held.address &&
         (!promised.prefix_length || *promised.prefix_length == held.prefix_length);
}

/// Those that a promise has to name: the kernel's own only where it does.
std::vector<InterfaceAddress> accountable(const Interface& interface,
                                          const std::vector<PromisedAddress>& promised) {
  std::vector<InterfaceAddress> held;
  for (const InterfaceAddress& each : interface.addresses) {
    const bool named = std::ranges::find(promised, each.address, &PromisedAddress::address) != promised.end();
    if (named || !is_kernels_own(each.address)) held.push_back(each);
  }
  return held;
}

template <class Addresses, class Text>
std::string listed(const Addresses& addresses, const Text& text) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(text(address));
  return texts.empty() ? "no addresses" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string listed(const std::vector<PromisedAddress>& addresses) {
  return listed(addresses, text_of);
}

std::string listed(const std::vector<InterfaceAddress>& addresses) {
  return listed(addresses, [](const InterfaceAddress& each) { return each.to_string(); });
}

constexpr std::array<std::string_view, 3> kStates{"up", "no-carrier", "down"};

std::string state_of(const Interface& interface) {
  if (!interface.up) return "down";
  return interface.running ? "up" : "no-carrier";
}

std::string kind_of(const Interface& interface) {
  if (interface.kind == network::LinkKind::loopback) return "loopback";
  return interface.kind_name.empty() ? "physical" : interface.kind_name;
}

std::string peer_text(const std::optional<network::Endpoint>& peer) {
  return peer ? fmt::format("{}:{}", peer->node, peer->interface) : "none that is known";
}

std::string yes_or_no(bool value) {
  return value ? "yes" : "no";
}

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

/// What is promised or found, one "word value" each, compared pairwise.
class Comparison {
 public:
  void compare(const std::string& word, const std::string& promised, const std::string& found, bool kept) {
    same_.push_back(word + found);
    if (!kept) different_.push_back(fmt::format("{}{} instead of {}", word, found, promised));
  }
  void compare(const std::string& word, const std::string& promised, const std::string& found) {
    compare(word, promised, found, promised == found);
  }
  bool kept() const { return different_.empty(); }
  std::string text() const { return fmt::format("{}", fmt::join(kept() ? same_ : different_, "; ")); }

 private:
  std::vector<std::string> same_, different_;
};

void compare_addresses(const std::vector<PromisedAddress>& promised, const Interface& interface,
                       Comparison& comparison) {
  const auto held = accountable(interface, promised);
  const auto is_held = [&](const PromisedAddress& each) {
    return std::ranges::any_of(held, [&](const InterfaceAddress& one) { return is_meant(each, one); });
  };
  const auto is_promised = [&](const InterfaceAddress& one) {
    return std::ranges::any_of(promised, [&](const PromisedAddress& each) { return is_meant(each, one); });
  };
  const bool kept = std::ranges::all_of(promised, is_held) && std::ranges::all_of(held, is_promised);
  comparison.compare("", listed(promised), listed(held), kept);
}

/// The first promised address that is in that list; absent: none.
std::optional<IpAddress> first_in(const LinkPromise& promise, const std::vector<IpAddress>& addresses) {
  if (!promise.addresses) return std::nullopt;
  for (const PromisedAddress& each : *promise.addresses) {
    if (contains(addresses, each.address)) return each.address;
  }
  return std::nullopt;
}

/// The interface is on its way to what is promised.
bool is_settling(const LinkPromise& promise, const Node& node) {
  const Interface* interface = node.find_interface(promise.dev);
  if (interface == nullptr) return false;
  const bool carrier_is_awaited = interface->up && !promise.state.empty() && promise.state != "down" &&
                                  promise.state != state_of(*interface);
  return carrier_is_awaited || first_in(promise, interface->tentative).has_value();
}

std::string promise_text(const LinkPromise& promise) {
  std::vector<std::string> parts;
  if (!promise.state.empty()) parts.push_back(promise.state);
  if (!promise.kind.empty()) parts.push_back("kind " + promise.kind);
  if (promise.peer) parts.push_back("peer " + peer_text(promise.peer));
  if (promise.master) parts.push_back("master " + or_none(*promise.master));
  if (promise.mtu != 0) parts.push_back(fmt::format("mtu {}", promise.mtu));
  if (promise.mac) parts.push_back("mac " + promise.mac->to_string());
  if (promise.promiscuous) parts.push_back("promiscuous " + yes_or_no(*promise.promiscuous));
  if (promise.addresses) parts.push_back(listed(*promise.addresses));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::vector<std::string> names_of(const Node& node) {
  std::vector<std::string> names;
  for (const Interface& interface : node.interfaces) names.push_back(interface.name);
  return names;
}

/// Waits for the next change of a node's links or addresses, at most until `deadline`.
awaitable<void> next_change(kernel::netlink::Socket& events, const Deadline& deadline) {
  using boost::asio::experimental::awaitable_operators::operator||;
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::posix::stream_descriptor readable(executor, events.fd());
  // The descriptor stays the socket's own, whichever way this ends.
  const ScopeExit give_back([&readable] { readable.release(); });
  boost::asio::steady_timer timer(executor, std::chrono::milliseconds(deadline.remaining_ms()));
  co_await (readable.async_wait(boost::asio::posix::descriptor_base::wait_read, boost::asio::use_awaitable) ||
            timer.async_wait(boost::asio::use_awaitable));
  events.wait(Deadline::after(std::chrono::milliseconds(0)));
}

class Link final : public engine::Check {
 public:
  explicit Link(LinkPromise expected) : expected_(std::move(expected)) {}

  awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    namespace netlink = kernel::netlink;
    auto events = netlink::Socket::open(stage.network().netns(promise.from));
    events.subscribe(netlink::Group::links);
    events.subscribe(netlink::Group::ipv6_addresses);
    const Deadline deadline = Deadline::after(kSettles);
    Node node = stage.look_at(promise.from);
    while (is_settling(expected_, node) && !deadline.passed()) {
      co_await next_change(events, deadline);
      node = stage.look_at(promise.from);
    }
    std::optional<network::Endpoint> peer;
    if (expected_.peer) peer = network::discover_peer(stage.network(), promise.from, expected_.dev);
    engine::Outcome outcome;
    outcome.judgement = judge_link(expected_, node, peer);
    if (outcome.judgement.verdict != Verdict::pass) outcome.question = question();
    co_return outcome;
  }

 private:
  proof::Case question() const {
    proof::Case question;
    question.promise = proof::Case::Promise::link;
    question.from = promise.from;
    proof::Case::Link& link = question.link.emplace(proof::Case::Link{});
    link.node = promise.from;
    link.interface = expected_.dev;
    link.state = expected_.state;
    link.peer = expected_.peer;
    link.master = expected_.master;
    link.mtu = expected_.mtu;
    link.promiscuous = expected_.promiscuous;
    if (expected_.addresses) {
      for (const PromisedAddress& each : *expected_.addresses)
        link.addresses.push_back({each.address, each.prefix_length.value_or(-1)});
    }
    return question;
  }

  LinkPromise expected_;
};

/// `absent` and `only`: about which interfaces there are.
class Names final : public engine::Check {
 public:
  using Judge = std::function<Judgement(const Node&)>;
  explicit Names(Judge judge) : judge_(std::move(judge)) {}

  awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    engine::Outcome outcome;
    outcome.judgement = judge_(stage.look_at(promise.from));
    co_return outcome;
  }

 private:
  Judge judge_;
};

PromisedAddress read_address(const spec::Value& value) {
  if (value.text.find('/') == std::string::npos) return {value.as_address("addresses"), std::nullopt};
  const InterfaceAddress address = value.as_interface_address("addresses");
  return {address.address, address.prefix_length};
}

LinkPromise read_promise(const spec::Value& arguments, const network::Topology& intended) {
  LinkPromise promise;
  promise.dev = arguments.require("dev", "link").as_name("dev", 15);
  if (const spec::Value* state = arguments.find("state")) {
    promise.state = kStates.at(state->as_word("state", kStates));
  }
  if (const spec::Value* kind = arguments.find("kind")) promise.kind = kind->as_text("kind");
  if (const spec::Value* peer = arguments.find("peer"))
    promise.peer = engine::read_endpoint(*peer, "peer", intended);
  if (const spec::Value* master = arguments.find("master")) {
    promise.master = master->as_name("master", 15);
    if (*promise.master == "none") promise.master->clear();
  }
  if (const spec::Value* mtu = arguments.find("mtu")) {
    promise.mtu = static_cast<std::uint32_t>(mtu->as_number("mtu", 68, 65536));
  }
  if (const spec::Value* addresses = arguments.find("addresses")) {
    promise.addresses.emplace();
    for (const spec::Value& each : addresses->as_list()) promise.addresses->push_back(read_address(each));
  }
  if (const spec::Value* mac = arguments.find("mac")) {
    promise.mac = MacAddress::parse(mac->as_text("mac"));
    if (!promise.mac)
      mac->fail(fmt::format("'{}' is not a hardware address such as 02:00:00:00:00:01", mac->text));
  }
  if (const spec::Value* promiscuous = arguments.find("promiscuous"))
    promise.promiscuous = promiscuous->as_bool("promiscuous");
  if (promise_text(promise).empty()) {
    arguments.fail("nothing is promised: say state, kind, peer, master, mtu, addresses, mac or promiscuous");
  }
  return promise;
}

std::vector<std::string> read_nodes(const spec::CheckItem& item, const network::Topology& intended) {
  std::vector<std::string> nodes;
  if (item.arguments.find("in") != nullptr) {
    for (const engine::Party& party : engine::read_nodes(item.arguments, "in", intended))
      nodes.push_back(party.text);
  } else {
    nodes.push_back(engine::read_guard(item.arguments, "in", intended));
  }
  return nodes;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view about_one[] = {"in",     "dev", "state",     "kind", "peer",
                                            "master", "mtu", "addresses", "mac",  "promiscuous"};
  constexpr std::string_view about_absence[] = {"in", "absent"};
  constexpr std::string_view about_all[] = {"in", "only"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("link");
  const spec::Value* absent = arguments.find("absent");
  const spec::Value* only = arguments.find("only");
  std::vector<std::unique_ptr<engine::Check>> checks;
  const auto add = [&](std::unique_ptr<engine::Check> check, const std::string& node, const std::string& id,
                       std::string expected) {
    engine::CheckResult& promise = check->promise;
    promise.type = "link";
    promise.from = node;
    promise.where = item.mark.to_string();
    promise.id = "link " + id;
    promise.expected = std::move(expected);
    checks.push_back(std::move(check));
  };
  for (const std::string& node : read_nodes(item, intended)) {
    if (absent != nullptr) {
      arguments.allow_keys("link with 'absent'", about_absence);
      const std::string name = absent->as_name("absent", 15);
      add(std::make_unique<Names>([name](const Node& found) { return judge_absent(name, found); }), node,
          fmt::format("{}:{} absent", node, name), fmt::format("{} has no interface {}", node, name));
    } else if (only != nullptr) {
      arguments.allow_keys("link with 'only'", about_all);
      std::vector<std::string> names;
      for (const spec::Value& each : only->as_list()) names.push_back(each.as_name("only", 15));
      const std::string list = fmt::format("{}", fmt::join(names, ", "));
      add(std::make_unique<Names>([names](const Node& found) { return judge_only(names, found); }), node,
          fmt::format("{} only {}", node, list), fmt::format("{} has {} and no other interface", node, list));
    } else {
      arguments.allow_keys("link", about_one);
      LinkPromise expected = read_promise(arguments, intended);
      const std::string place = fmt::format("{}:{}", node, expected.dev);
      std::string text = fmt::format("{}: {}", place, promise_text(expected));
      add(std::make_unique<Link>(std::move(expected)), node, place, std::move(text));
    }
  }
  return checks;
}

}  // namespace

Judgement judge_link(const LinkPromise& promise, const Node& node,
                     const std::optional<network::Endpoint>& peer) {
  const Interface* interface = node.find_interface(promise.dev);
  if (interface == nullptr) {
    return {Verdict::fail, fmt::format("{} has no interface {}; it has {}", node.name, promise.dev,
                                       fmt::join(names_of(node), ", "))};
  }
  Comparison comparison;
  if (!promise.state.empty()) comparison.compare("", promise.state, state_of(*interface));
  if (!promise.kind.empty()) comparison.compare("kind ", promise.kind, kind_of(*interface));
  if (promise.peer) comparison.compare("peer ", peer_text(promise.peer), peer_text(peer));
  if (promise.master) comparison.compare("master ", or_none(*promise.master), or_none(interface->master));
  if (promise.mtu != 0) {
    comparison.compare("mtu ", fmt::to_string(promise.mtu), fmt::to_string(interface->mtu));
  }
  if (promise.mac) {
    comparison.compare("mac ", promise.mac->to_string(),
                       interface->mac ? interface->mac->to_string() : "none");
  }
  if (promise.promiscuous) {
    comparison.compare("promiscuous ", yes_or_no(*promise.promiscuous), yes_or_no(interface->promiscuous));
  }
  if (promise.addresses) compare_addresses(*promise.addresses, *interface, comparison);
  std::string observed = fmt::format("{}:{}: {}", node.name, promise.dev, comparison.text());
  if (!comparison.kept()) return {Verdict::fail, std::move(observed)};
  if (const auto duplicate = first_in(promise, interface->duplicate)) {
    return {Verdict::fail, fmt::format("{}; but {} is held by somebody else too: duplicate address detection "
                                       "refused it",
                                       observed, duplicate->to_string())};
  }
  if (const auto tentative = first_in(promise, interface->tentative)) {
    return {Verdict::inconclusive,
            fmt::format("{}; but {} is still tentative: duplicate address detection has not ended", observed,
                        tentative->to_string())};
  }
  return {Verdict::pass, std::move(observed)};
}

Judgement judge_absent(const std::string& dev, const Node& node) {
  const Interface* interface = node.find_interface(dev);
  if (interface == nullptr) {
    return {Verdict::pass, fmt::format("{} has {}", node.name, fmt::join(names_of(node), ", "))};
  }
  return {Verdict::fail,
          fmt::format("{} has {}, kind {}, {}", node.name, dev, kind_of(*interface), state_of(*interface))};
}

Judgement judge_only(const std::vector<std::string>& names, const Node& node) {
  const std::vector<std::string> found = names_of(node);
  const bool same =
      std::set<std::string>(names.begin(), names.end()) == std::set<std::string>(found.begin(), found.end());
  return {same ? Verdict::pass : Verdict::fail, fmt::format("{} has {}", node.name, fmt::join(found, ", "))};
}

engine::CheckKind link_kind() {
  return {"link", "An interface is as promised, is absent, or is one of exactly those; nothing is sent.",
          kSchema, parse};
}

}  // namespace plumbline::checks
