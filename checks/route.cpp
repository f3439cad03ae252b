#include "checks/route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/kernel_error.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::checks {
namespace {

namespace netlink = kernel::netlink;
using engine::Judgement;
using engine::Verdict;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["to", "expect"],
  "dependentRequired": {"iif": ["from"]},
  "additionalProperties": false,
  "properties": {
    "in": {"$ref": "#/$defs/name", "description": "The node whose kernel is asked; the host by default."},
    "to": {"$ref": "#/$defs/targets"},
    "family": {"$ref": "#/$defs/families"},
    "from": {"$ref": "#/$defs/address", "description": "The packet's source; the kernel's choice by default."},
    "iif": {"$ref": "#/$defs/interface", "description": "It comes in by this interface; without it, it is the node's own."},
    "oif": {"$ref": "#/$defs/interface", "description": "Its sender insists on this interface."},
    "mark": {"type": "integer", "minimum": 1, "maximum": 4294967295},
    "expect": {
      "type": "object", "minProperties": 1, "additionalProperties": false,
      "if": {"anyOf": [{"required": ["error"]},
                       {"required": ["type"], "properties": {"type": {"enum": ["blackhole", "unreachable", "prohibit"]}}}]},
      "then": {"maxProperties": 1},
      "properties": {
        "type": {"enum": ["unicast", "local", "blackhole", "unreachable", "prohibit"]},
        "dev": {"$ref": "#/$defs/interface"},
        "via": {"anyOf": [{"const": "none"}, {"$ref": "#/$defs/address"}], "description": "The next router; none: on link."},
        "src": {"$ref": "#/$defs/address", "description": "The source that the kernel would choose."},
        "table": {"oneOf": [{"enum": ["local", "main", "default"]}, {"type": "integer", "minimum": 1, "maximum": 4294967295}]},
        "error": {"$ref": "#/$defs/refusal", "description": "There is no way: network unreachable, host unreachable, permission denied, invalid argument."}
      }
    }
  }
})";

constexpr std::array<std::string_view, 5> kTypes{"unicast", "local", "blackhole", "unreachable", "prohibit"};
constexpr std::array<std::string_view, 3> kTableNames{"default", "main", "local"};
constexpr std::uint32_t kFirstNamedTable = 253;  // RT_TABLE_DEFAULT

std::string table_text(std::uint32_t table) {
  const std::uint32_t index = table - kFirstNamedTable;
  return index < kTableNames.size() ? std::string(kTableNames.at(index)) : fmt::to_string(table);
}

/// The refusal that a route of this type leads to (fib_props in net/ipv4/fib_semantics.c); 0: none.
int refusal_of(std::string_view type) {
  if (type == "blackhole") return EINVAL;
  if (type == "unreachable") return EHOSTUNREACH;
  return type == "prohibit" ? EACCES : 0;
}

std::string question_text(const RouteQuestion& question) {
  std::string text = question.to;
  if (question.from) text += " from " + question.from->to_string();
  if (!question.iif.empty()) text += " iif " + question.iif;
  if (!question.oif.empty()) text += " oif " + question.oif;
  if (question.mark != 0) text += fmt::format(" mark {:#x}", question.mark);
  return text;
}

std::string promise_text(const RoutePromise& promise) {
  if (promise.error != 0) return engine::kernel_error_text(promise.error);
  std::vector<std::string> parts;
  if (!promise.type.empty()) parts.push_back(promise.type);
  if (promise.on_link) parts.emplace_back("on link");
  if (promise.via) parts.push_back("via " + promise.via->to_string());
  if (!promise.dev.empty()) parts.push_back("dev " + promise.dev);
  if (promise.table) parts.push_back("table " + table_text(*promise.table));
  if (promise.source) parts.push_back("src " + promise.source->to_string());
  return fmt::format("{}", fmt::join(parts, " "));
}

/// What the refusal may rest on beside the routes. Absent: on them alone.
std::optional<std::string> hidden_reason(const RouteQuestion& question, const RouteFinding& finding) {
  if (finding.error == EHOSTUNREACH && finding.forwarding_off) {
    return fmt::format("forwarding is off on {}, so its routes are not looked at", question.iif);
  }
  const bool comes_in = !question.iif.empty();
  const bool refuses_source = finding.error == EXDEV || (finding.error == EINVAL && comes_in);
  if (refuses_source && question.from && question.from->is_v4()) {
    return fmt::format(
        "the kernel says so of a source too that it does not let in by {} (rp_filter, martians)",
        question.iif);
  }
  if (finding.error != 0 && finding.foreign_source) {
    return fmt::format("the kernel refuses the source {} whatever the routes are, for it is not its own",
                       question.from->to_string());
  }
  return std::nullopt;
}

/// The same refusal; kernels before 6.14 tell a source that rp_filter refuses from others.
bool same_refusal(int promised, int found) {
  return promised == found || (promised == EINVAL && found == EXDEV);
}

bool keeps(const RoutePromise& promise, const RouteFinding& finding) {
  if (!promise.type.empty() && promise.type != finding.type) return false;
  if (!promise.dev.empty() && promise.dev != finding.dev) return false;
  if (promise.on_link && finding.via) return false;
  if (promise.via && promise.via != finding.via) return false;
  if (promise.source && promise.source != finding.source) return false;
  return !promise.table || *promise.table == finding.table;
}

const char* type_text(netlink::LookupType type) {
  switch (type) {
    case netlink::LookupType::unicast:
      return "unicast";
    case netlink::LookupType::local:
      return "local";
    case netlink::LookupType::broadcast:
      return "broadcast";
    case netlink::LookupType::anycast:
      return "anycast";
    case netlink::LookupType::multicast:
      return "multicast";
    case netlink::LookupType::other:
      return "other";
  }
  return "other";
}

class Route final : public engine::Check {
 public:
  Route(RouteQuestion question, RoutePromise expected, IpFamily family)
      : question_(std::move(question)), expected_(std::move(expected)), family_(family) {}

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    const IpAddress to = stage.target(promise.from, promise.to, family_).address;
    RouteQuestion asked = question_;
    asked.to = to.to_string();
    engine::Outcome outcome;
    outcome.judgement = judge_route(expected_, asked, ask(stage, to));
    if (outcome.judgement.verdict != Verdict::pass) outcome.question = question(stage, to);
    co_return outcome;
  }

 private:
  proof::Case question(const engine::Stage& stage, const IpAddress& to) const {
    proof::Case question;
    question.promise = proof::Case::Promise::route;
    question.from = promise.from;
    question.to = to;
    if (const network::Node* owner = stage.topology().owner_of(to)) question.to_node = owner->name;
    proof::Case::Route& asked = question.route.emplace(proof::Case::Route{});
    asked.from = question_.from;
    asked.iif = question_.iif;
    asked.oif = question_.oif;
    asked.mark = question_.mark;
    asked.dev = expected_.dev;
    asked.via = expected_.via;
    asked.source = expected_.source;
    asked.table = expected_.table;
    asked.error = expected_.error != 0 ? expected_.error : refusal_of(expected_.type);
    return question;
  }

  RouteFinding ask(const engine::Stage& stage, const IpAddress& to) const {
    auto socket = netlink::Socket::open(stage.network().netns(promise.from));
    const auto links = socket.dump(netlink::get_links(), "listing the links", netlink::decode_link);
    netlink::RouteLookup lookup;
    lookup.to = to;
    lookup.from = question_.from;
    lookup.mark = question_.mark;
    RouteFinding finding;
    bool off_for_ipv6 = false;
    if (!question_.iif.empty()) {
      const netlink::Link& link = named(links, question_.iif);
      lookup.iif = link.index;
      finding.forwarding_off = to.is_v4() && !link.loopback && link.ipv4 && !link.ipv4->forwarding;
      off_for_ipv6 = !to.is_v4() && !link.loopback && !forwards_ipv6(stage, link.name);
    }
    if (!question_.oif.empty()) lookup.oif = named(links, question_.oif).index;
    finding.foreign_source =
        to.is_v4() && lookup.iif == 0 && question_.from && !holds(stage, *question_.from);
    const netlink::LookupResult result = netlink::look_up(socket, lookup);
    finding.error = result.error;
    if (!result.route) return finding;
    if (off_for_ipv6 && result.route->type == netlink::LookupType::unicast) {
      // IPv6's lookup answers whether or not the node forwards; ip6_forward() then drops the packet.
      finding.forwarding_off = true;
      finding.error = EHOSTUNREACH;  // as IPv4's lookup says itself
      return finding;
    }
    const auto dev = std::ranges::find(links, result.route->dev, &netlink::Link::index);
    finding.dev = dev == links.end() ? std::string() : dev->name;
    finding.type = type_text(result.route->type);
    finding.via = result.route->via;
    finding.source = result.route->source;
    finding.table = result.route->table;
    return finding;
  }

  /// One switch for all interfaces, and since Linux 6.17 one of each that overrides it.
  bool forwards_ipv6(const engine::Stage& stage, const std::string& iif) const {
    const kernel::Netns& netns = stage.network().netns(promise.from);
    const auto all = kernel::read_sysctl(netns, "net.ipv6.conf.all.forwarding");
    if (!all || *all != "0") return true;
    return kernel::read_sysctl(netns, fmt::format("net/ipv6/conf/{}/force_forwarding", iif)).value_or("0") !=
           "0";
  }

  const netlink::Link& named(const std::vector<netlink::Link>& links, const std::string& name) const {
    const auto found = std::ranges::find(links, name, &netlink::Link::name);
    if (found != links.end()) return *found;
    std::vector<std::string_view> names;
    for (const netlink::Link& link : links) names.emplace_back(link.name);
    throw Error(fmt::format("{} has no interface {}; it has {}", promise.from, name, fmt::join(names, ", ")));
  }

  bool holds(const engine::Stage& stage, const IpAddress& address) const {
    network::Topology alone;
    alone.nodes.push_back(stage.look_at(promise.from));
    return address.is_loopback() || alone.owner_of(address) != nullptr;
  }

  RouteQuestion question_;
  RoutePromise expected_;
  IpFamily family_;
};

std::uint32_t read_table(const spec::Value& value) {
  for (std::size_t i = 0; i < kTableNames.size(); ++i) {
    if (value.text == kTableNames.at(i)) return kFirstNamedTable + static_cast<std::uint32_t>(i);
  }
  return static_cast<std::uint32_t>(value.as_number("table", 1, std::numeric_limits<std::uint32_t>::max()));
}

RoutePromise read_expected(const spec::Value& arguments) {
  constexpr std::string_view keys[] = {"type", "dev", "via", "src", "table", "error"};
  const spec::Value& expect = arguments.require("expect", "route");
  if (expect.as_mapping("expect").empty())
    expect.fail("'expect' is empty: say what the kernel should answer");
  expect.allow_keys("expect", keys);
  RoutePromise promise;
  if (const spec::Value* error = expect.find("error")) {
    if (expect.entries.size() > 1)
      error->fail("'error' stands alone: where there is no way there is no route");
    promise.error = engine::read_kernel_error(*error);
  }
  if (const spec::Value* type = expect.find("type")) promise.type = kTypes.at(type->as_word("type", kTypes));
  if (const spec::Value* dev = expect.find("dev")) promise.dev = dev->as_name("dev", 15);
  if (const spec::Value* via = expect.find("via")) {
    promise.on_link = via->text == "none";
    if (!promise.on_link) promise.via = via->as_address("via");
  }
  if (const spec::Value* source = expect.find("src")) promise.source = source->as_address("src");
  if (const spec::Value* table = expect.find("table")) promise.table = read_table(*table);
  if (refusal_of(promise.type) != 0 && expect.entries.size() > 1) {
    expect.fail(fmt::format("of a {} route the kernel tells nothing but the refusal: leave the rest out",
                            promise.type));
  }
  return promise;
}

RouteQuestion read_question(const spec::Value& arguments) {
  RouteQuestion question;
  if (const spec::Value* from = arguments.find("from")) question.from = from->as_address("from");
  if (const spec::Value* iif = arguments.find("iif")) question.iif = iif->as_name("iif", 15);
  if (const spec::Value* oif = arguments.find("oif")) question.oif = oif->as_name("oif", 15);
  if (const spec::Value* mark = arguments.find("mark")) {
    question.mark =
        static_cast<std::uint32_t>(mark->as_number("mark", 1, std::numeric_limits<std::uint32_t>::max()));
  }
  if (!question.iif.empty() && !question.from)
    arguments.find("iif")->fail("a packet that comes in has a source: name it with 'from'");
  return question;
}

/// The family of the addresses that are named decides; a mixture cannot be asked.
bool fits(const RouteQuestion& question, const RoutePromise& promise, IpFamily family) {
  if (question.from && question.from->family() != family) return false;
  return !promise.source || promise.source->family() == family;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"in", "to", "family", "from", "iif", "oif", "mark", "expect"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("route");
  arguments.allow_keys("route", keys);
  const std::string in = engine::read_guard(arguments, "in", intended);
  const spec::Value* stated_in = arguments.find("in");
  const RoutePromise expected = read_expected(arguments);
  const RouteQuestion stated = read_question(arguments);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Party& to : engine::read_targets(arguments, "to", intended)) {
    const engine::Party asker{in, stated_in == nullptr ? item.mark : stated_in->mark};
    const bool named = !IpAddress::parse(to.text);
    const std::size_t before = checks.size();
    for (const IpFamily family : engine::read_families(arguments, intended, asker, to)) {
      if (!fits(stated, expected, family)) continue;
      RouteQuestion question = stated;
      question.to = to.text;
      const engine::Pairing pairing{asker, to, {}, family, named};
      auto check = std::make_unique<Route>(question, expected, family);
      engine::CheckResult& promise = check->promise;
      engine::describe(promise, item, pairing);
      promise.with.clear();
      promise.id = fmt::format("route {} to {}{}", in, question_text(question), pairing.suffix());
      promise.expected =
          fmt::format("{}{}: {}", question_text(question),
                      named ? " over " + engine::family_name(family) : std::string(), promise_text(expected));
      checks.push_back(std::move(check));
    }
    if (checks.size() == before)
      throw spec::SpecError(to.mark, fmt::format("{} is of another family than 'from' or 'src'", to.text));
  }
  return checks;
}

}  // namespace

std::string to_text(const RouteQuestion& question, const RouteFinding& finding) {
  std::string text = question_text(question) + ":";
  if (finding.error != 0) return text + " " + engine::kernel_error_text(finding.error);
  if (finding.type != "unicast") text += " " + finding.type;
  if (finding.via) text += " via " + finding.via->to_string();
  text += fmt::format(" dev {} table {}", finding.dev, table_text(finding.table));
  if (finding.source) text += " src " + finding.source->to_string();
  return text;
}

Judgement judge_route(const RoutePromise& promise, const RouteQuestion& question,
                      const RouteFinding& finding) {
  std::string observed = to_text(question, finding);
  const auto hidden = hidden_reason(question, finding);
  if (hidden) observed += fmt::format("; {}", *hidden);
  const int refusal = promise.error != 0 ? promise.error : refusal_of(promise.type);
  if (refusal == 0) {
    const bool kept = finding.error == 0 && keeps(promise, finding);
    return {kept ? Verdict::pass : Verdict::fail, std::move(observed)};
  }
  if (!same_refusal(refusal, finding.error)) return {Verdict::fail, std::move(observed)};
  // Forwarding that is off is a reason of its own to say "host unreachable", and may be what is promised.
  const bool meant = promise.error != 0 && finding.forwarding_off;
  return {hidden && !meant ? Verdict::inconclusive : Verdict::pass, std::move(observed)};
}

engine::CheckKind route_kind() {
  return {"route", "A node's kernel would route a packet as promised; nothing is sent.", kSchema, parse};
}

}  // namespace plumbline::checks
