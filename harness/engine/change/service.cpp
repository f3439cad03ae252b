#include "harness/network/service/service.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "harness/engine/change/place.hpp"
#include "harness/engine/check/listeners.hpp"
#include "harness/engine/spec/program.hpp"

namespace plumbline::engine {
namespace {

using network::ServerPlan;
using network::Transports;
using Kind = ServerPlan::Kind;

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["port", "does"], "additionalProperties": false,
  "properties": {
    "in": {"$ref": "#/$defs/name"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "over": {"enum": ["udp", "tcp"], "description": "Both by default, as far as what it does has them."},
    "does": {"enum": ["stop", "echo", "http", "dns", "ignore", "reset", "full"]},
    "listen": {"$ref": "#/$defs/address", "description": "The one address of the node that it listens on."},
    "delay": {"$ref": "#/$defs/time", "description": "Before each answer."},
    "source": {"$ref": "#/$defs/address", "description": "From which answers over UDP leave."},
    "source-port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "names": {"type": "object", "additionalProperties": {"oneOf": [
      {"$ref": "#/$defs/address"}, {"type": "array", "items": {"$ref": "#/$defs/address"}}]},
      "description": "What a DNS server answers; the world's names by default."},
    "rcode": {"enum": ["SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"], "description": "Of every answer."},
    "truncated": {"type": "boolean", "description": "No answer fits over UDP."},
    "question": {"type": "string", "minLength": 1, "maxLength": 253, "description": "The name that it says it was asked for."}
  },
  "allOf": [
    {"if": {"properties": {"does": {"enum": ["http", "reset", "full"]}}}, "then": {"properties": {"over": {"const": "tcp"}}}},
    {"if": {"properties": {"over": {"const": "tcp"}}, "required": ["over"]},
     "then": {"properties": {"source": false, "source-port": false, "truncated": false}}},
    {"if": {"properties": {"does": {"enum": ["echo", "dns"]}}}, "else": {"properties": {"source": false, "source-port": false}}},
    {"if": {"properties": {"does": {"enum": ["echo", "http", "dns"]}}}, "else": {"properties": {"delay": false}}},
    {"if": {"properties": {"does": {"const": "stop"}}}, "then": {"properties": {"listen": false}}},
    {"if": {"properties": {"does": {"const": "dns"}}}, "else": {"properties": {"names": false, "rcode": false, "truncated": false, "question": false}}}
  ]
})";

constexpr std::array<std::string_view, 7> kDoes{"stop", "echo", "http", "dns", "ignore", "reset", "full"};
constexpr std::array kKinds{Kind::echo, Kind::http, Kind::dns, Kind::silence, Kind::reset, Kind::full};
constexpr std::array<std::string_view, 4> kRcodes{"SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
constexpr std::array<std::uint8_t, 4> kRcodeNumbers{2, 3, 4, 5};

class Service final : public Change {
 public:
  /// Without a `plan` what is there is stopped.
  Service(std::string node, std::uint16_t port, Transports over, std::optional<ServerPlan> plan)
      : node_(std::move(node)), port_(port), over_(over), plan_(std::move(plan)) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    if (plan_) {
      site.listeners.serve(node_, *plan_);
    } else {
      site.listeners.stop(node_, port_, over_);
    }
    co_return;
  }

 private:
  std::string node_;
  std::uint16_t port_;
  Transports over_;
  std::optional<ServerPlan> plan_;
};

std::uint16_t read_port(const spec::Value& value, std::string_view what) {
  return static_cast<std::uint16_t>(value.as_number(what, 1, 65'535));
}

Transports read_over(const spec::Value& arguments, const std::string& does) {
  constexpr std::array<std::string_view, 2> words{"udp", "tcp"};
  const bool tcp_alone = does == "http" || does == "reset" || does == "full";
  const spec::Value* over = arguments.find("over");
  if (over == nullptr) return tcp_alone ? Transports::tcp : Transports::both;
  const bool tcp = over->as_word("over", words) == 1;
  if (tcp_alone && !tcp) over->fail(fmt::format("'{}' is of TCP", does));
  return tcp ? Transports::tcp : Transports::udp;
}

/// The zone that the world's servers answer.
std::map<std::string, std::vector<IpAddress>> worlds_names(const network::Topology& intended) {
  for (const network::Node& node : intended.nodes) {
    for (const network::Service& service : node.services) {
      if (service.kind == network::Service::Kind::dns) return service.names;
    }
  }
  return {};
}

std::map<std::string, std::vector<IpAddress>> read_names(const spec::Value& value) {
  std::map<std::string, std::vector<IpAddress>> names;
  for (const spec::Value::Entry& entry : value.as_mapping("names")) {
    std::string name = entry.key;
    for (char& letter : name) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    if (name.ends_with('.')) name.pop_back();
    auto& addresses = names[name];
    for (const spec::Value& item : entry.value.as_list()) addresses.push_back(item.as_address(entry.key));
  }
  return names;
}

/// Throws at a key that says nothing of what it does.
void refuse_foreign_keys(const spec::Value& arguments, const std::string& does, Transports over) {
  const auto only = [&](std::string_view key, bool allowed, std::string_view of) {
    const spec::Value* value = arguments.find(key);
    if (value != nullptr && !allowed) value->fail(fmt::format("'{}' is of {}", key, of));
  };
  const bool answers = does == "echo" || does == "http" || does == "dns";
  const bool by_udp = (does == "echo" || does == "dns") && over != Transports::tcp;
  only("listen", does != "stop", "what listens");
  only("delay", answers, "echo, http and dns");
  only("source", by_udp, "echo and dns over UDP");
  only("source-port", by_udp, "echo and dns over UDP");
  only("truncated", by_udp && does == "dns", "dns over UDP");
  only("names", does == "dns", "dns");
  only("rcode", does == "dns", "dns");
  only("question", does == "dns", "dns");
}

ServerPlan read_plan(const spec::Value& arguments, Kind kind, const network::Topology& intended) {
  ServerPlan plan;
  plan.kind = kind;
  if (const auto* listen = arguments.find("listen")) plan.manner.listen = listen->as_address("listen");
  if (const auto* delay = arguments.find("delay")) plan.manner.delay = spec::read_time(*delay, "delay");
  if (const auto* source = arguments.find("source")) plan.manner.source = source->as_address("source");
  if (const auto* port = arguments.find("source-port"))
    plan.manner.source_port = read_port(*port, "source-port");
  if (const auto* truncated = arguments.find("truncated"))
    plan.manner.truncated = truncated->as_bool("truncated");
  if (const auto* rcode = arguments.find("rcode"))
    plan.manner.rcode = kRcodeNumbers.at(rcode->as_word("rcode", kRcodes));
  if (const auto* question = arguments.find("question")) {
    plan.manner.question = question->as_text("question");
    constexpr std::size_t longest = 253;  // RFC 1035, 2.3.4
    if (plan.manner.question.empty() || plan.manner.question.size() > longest)
      question->fail("'question' must be a host name");
  }
  const spec::Value* names = arguments.find("names");
  if (kind == Kind::dns) plan.names = names == nullptr ? worlds_names(intended) : read_names(*names);
  return plan;
}

/// "service lan-resolver udp/53 dns delay 3s"
std::string text_of(const spec::Value& arguments, const std::string& node, Transports over,
                    std::uint16_t port, std::string_view does) {
  const char* transport = over == Transports::both ? "" : over == Transports::udp ? "udp/" : "tcp/";
  std::string text = fmt::format("service {} {}{} {}", node, transport, port, does);
  for (const spec::Value::Entry& entry : arguments.entries) {
    constexpr std::array<std::string_view, 6> told{"listen",      "delay", "source",
                                                   "source-port", "rcode", "question"};
    for (const std::string_view key : told) {
      if (entry.key == key) text += fmt::format(" {} {}", key, entry.value.text);
    }
    if (entry.key == "truncated" && entry.value.text == "true") text += " truncated";
    if (entry.key == "names") text += " names";
  }
  return text;
}

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in",     "port",        "over",  "does",  "listen",    "delay",
                                       "source", "source-port", "names", "rcode", "truncated", "question"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping(item.kind);
  arguments.allow_keys(item.kind, keys);
  std::string node = change::read_in(arguments, intended);
  const std::uint16_t port = read_port(arguments.require("port", item.kind), "port");
  const std::size_t what = arguments.require("does", item.kind).as_word("does", kDoes);
  const std::string does(kDoes.at(what));
  const Transports over = read_over(arguments, does);
  refuse_foreign_keys(arguments, does, over);
  std::optional<ServerPlan> plan;
  if (does != "stop") {
    plan = read_plan(arguments, kKinds.at(what - 1), intended);
    plan->port = port;
    plan->manner.over = over;
  }
  std::string text = text_of(arguments, node, over, port, does);
  auto made = std::make_unique<Service>(std::move(node), port, over, std::move(plan));
  made->about = std::move(text);
  return made;
}

}  // namespace

ChangeKind service_change() {
  return {"service", "Stops or replaces what serves a port of a node.", kSchema, parse};
}

}  // namespace plumbline::engine
