#include "harness/engine/report/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

#include "harness/base/ip.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::engine {
namespace {

constexpr std::array<std::string_view, 2> kFamilies{"ipv4", "ipv6"};

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool promises_denial(const CheckResult& check) {
  return is_any_of(check.type, {"deny", "isolated"});
}

std::vector<std::string> split(std::string_view text) {
  constexpr std::string_view kBetween = ", ";
  std::vector<std::string> parts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(kBetween);
    parts.emplace_back(text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + kBetween.size());
  }
  return parts;
}

/// The addresses by which others know a node of a picture.
class Addresses {
 public:
  explicit Addresses(const std::vector<DrawnNode>& network) {
    for (const DrawnNode& node : network) {
      // As network::known_addresses has them: a loopback's first.
      for (const bool loopback : {true, false}) {
        for (const DrawnInterface& interface : node.interfaces) {
          if ((interface.kind == "loopback") == loopback) add(node.name, interface);
        }
      }
    }
  }

  bool has(const std::string& node, std::string_view family) const {
    const auto found = of_.find(node);
    return found != of_.end() && std::ranges::any_of(found->second, [&](const InterfaceAddress& each) {
             return family_of(each) == family;
           });
  }

  /// Whether the address that `from` names `node` by is on an interface that is up: `isolated` probes no
  /// other.
  bool is_up(const std::string& from, const std::string& node, IpFamily family) const {
    const auto named = of_.contains(node) ? address_of(from, node, family) : std::nullopt;
    return named && !down_.contains(*named);
  }

  /// The node that `from` would name to get to `address`; empty: none.
  std::string named(const std::string& from, const IpAddress& address) const {
    for (const auto& [node, addresses] : of_) {
      if (address_of(from, node, address.family()) == address) return node;
    }
    return {};
  }

 private:
  static std::string_view family_of(const InterfaceAddress& held) {
    return kFamilies.at(held.address.is_v4() ? 0 : 1);
  }

  void add(const std::string& node, const DrawnInterface& interface) {
    for (const std::string& text : interface.addresses) {
      const auto held = InterfaceAddress::parse(text);
      if (!held || held->address.is_loopback()) continue;
      if (!held->address.is_v4() && held->address.is_link_local()) continue;
      of_[node].push_back(*held);
      if (!interface.up) down_.insert(held->address);
    }
  }

  /// As Stage::target finds it: on a network that both share, else the first.
  std::optional<IpAddress> address_of(const std::string& from, const std::string& node,
                                      IpFamily family) const {
    const auto source = of_.find(from);
    const int host_length = family == IpFamily::v4 ? 32 : 128;
    std::optional<IpAddress> first;
    for (const InterfaceAddress& held : of_.at(node)) {
      if (held.address.family() == family && !first) first = held.address;
    }
    if (source == of_.end() || from == node) return first;
    for (const InterfaceAddress& near : source->second) {
      for (const InterfaceAddress& held : of_.at(node)) {
        const bool shared = near.address.family() == family && held.address.family() == family &&
                            held.prefix_length < host_length && near.network() == held.network();
        if (shared) return held.address;
      }
    }
    return first;
  }

  std::map<std::string, std::vector<InterfaceAddress>> of_;
  std::set<IpAddress> down_;
};

std::vector<std::string> families_of(const CheckResult& check, const Addresses& addresses) {
  if (!check.family.empty()) return {check.family};
  std::vector<std::string> families;
  for (const std::string_view family : kFamilies) {
    if (addresses.has(check.from, family) && addresses.has(check.to, family)) families.emplace_back(family);
  }
  return families;
}

/// A cause that tells who stopped a probe, rather than that an end was not there; null: none that is proven.
const Cause* stopping_cause(const CheckResult& check) {
  namespace reasons = proof::reasons;
  const auto codes = reasons::any_of(
      {reasons::rules(),
       {"blackhole-route", "forwarding-disabled", "hairpin-off", "martian-source", "no-default-route",
        "missing-route-back", "rp-filter", "ttl-exceeded", "bridge-port-isolated", "missing-masquerade"}});
  const auto found = std::ranges::find_if(check.causes, [&](const Cause& cause) {
    return cause.proven && std::ranges::find(codes, cause.code) != codes.end();
  });
  return found == check.causes.end() ? nullptr : &*found;
}

/// Sign and reason of a check that ran.
std::pair<char, std::string> judged(const CheckResult& check) {
  const bool tried = check.type == kAttempt;
  const bool denial = promises_denial(check);
  switch (check.verdict) {
    case Verdict::pass:
      if (!denial) return {'.', ""};
      return {'X', check.stopped.empty() ? check.observed : check.stopped};
    case Verdict::fail:
      return {tried ? 'X' : '!', check.observed};
    case Verdict::inconclusive:
      if (const Cause* cause = tried ? stopping_cause(check) : nullptr) return {'X', cause->summary};
      return {'?', check.observed};
    case Verdict::skip:
    case Verdict::error:
      break;
  }
  return {'?', check.observed};
}

using Rank = std::tuple<int, unsigned, std::string>;

/// ping, then tcp and udp by port, then whatever else.
Rank rank_of(const std::string& with) {
  int kind = 3;
  if (with.starts_with("ping")) kind = 0;
  if (with.starts_with("tcp/")) kind = 1;
  if (with.starts_with("udp/")) kind = 2;
  unsigned port = 0;
  if (kind == 1 || kind == 2) std::from_chars(with.data() + 4, with.data() + with.size(), port);
  return {kind, port, with};
}

/// What is known of one cell.
using Cell = std::vector<const Shown*>;

/// One that got through, and a promise that it was not to; null: none.
std::pair<const Shown*, const Shown*> contradiction(const Cell& cell) {
  const auto through = std::ranges::find(cell, '.', &Shown::sign);
  const auto denial =
      std::ranges::find_if(cell, [](const Shown* shown) { return promises_denial(*shown->check); });
  if (through == cell.end() || denial == cell.end()) return {};
  return {*through, *denial};
}

std::string to_text(const std::pair<const Shown*, const Shown*>& found) {
  const auto& [through, denial] = found;
  return fmt::format("{} got through: {}", through->check->id, through->check->observed);
}

/// A promise before an attempt; of several what is worst. That `isolated` was kept says less than an attempt
/// that tells who stopped it, and more than one that proves nothing.
const Shown& what_counts(const Cell& cell) {
  const auto weight = [](const Shown* shown) {
    constexpr std::string_view worst_first = "!?X. ";
    const bool tried = shown->check->type == kAttempt;
    if (shown->sign == ' ') return std::pair<int, std::size_t>(4, 0);
    if (tried && shown->sign == '?') return std::pair<int, std::size_t>(3, 0);
    if (shown->check->type == "isolated" && shown->sign == 'X') return std::pair<int, std::size_t>(2, 0);
    return std::pair(tried ? 1 : 0, worst_first.find(shown->sign));
  };
  return **std::ranges::min_element(cell, {}, weight);
}

/// Sign and reason.
std::pair<char, std::string> told(const Cell& cell) {
  const Shown& shown = what_counts(cell);
  if (shown.sign == '!') return {shown.sign, shown.reason};
  if (const auto found = contradiction(cell); found.first != nullptr) return {'!', to_text(found)};
  return {shown.sign, shown.reason};
}

/// One matrix being put together.
class Builder {
 public:
  void add(const Shown& shown) {
    cells_[{shown.from, shown.to}].push_back(&shown);
    senders_.insert(shown.from);
    targets_.insert(shown.to);
  }

  /// `order`: nodes as the network has them; what is not there comes behind, as it was first met.
  Matrix build(const std::vector<std::string>& order) const {
    Matrix matrix;
    const Shown& any = *cells_.begin()->second.front();
    matrix.with = any.with;
    matrix.family = any.family;
    for (const std::string& name : order) {
      if (senders_.contains(name)) matrix.from.push_back(name);
      if (targets_.contains(name)) matrix.to.push_back(name);
    }
    std::map<std::string, std::size_t> reasons;
    for (std::size_t row = 0; row < matrix.from.size(); ++row) {
      std::string& signs = matrix.cells.emplace_back();
      for (std::size_t column = 0; column < matrix.to.size(); ++column) {
        const auto cell = cells_.find({matrix.from[row], matrix.to[column]});
        const auto [sign, reason] = cell == cells_.end() ? std::pair(' ', std::string()) : told(cell->second);
        signs += sign == ' ' && matrix.from[row] == matrix.to[column] ? '-' : sign;
        if (reason.empty()) continue;
        const auto [known, fresh] = reasons.try_emplace(reason, matrix.reasons.size());
        if (fresh) matrix.reasons.push_back({reason, {}});
        matrix.reasons[known->second].cells.emplace_back(row, column);
      }
    }
    return matrix;
  }

 private:
  std::map<std::pair<std::string, std::string>, Cell> cells_;
  std::set<std::string> senders_, targets_;
};

/// What checks show, one after another.
class Teller {
 public:
  explicit Teller(const ScenarioResult& scenario) : addresses_(scenario.network) {}

  void tell(const CheckResult& check) {
    if (check.type == "isolated") {
      tell_isolated(check);
      return;
    }
    const auto [sign, reason] = judged(check);
    for (const std::string& with : services_of(check)) {
      for (const std::string& family : families_of(check, addresses_))
        all.push_back({check.from, target(check.from, check.to), with, family, sign, reason, &check});
    }
  }

  std::vector<Shown> all;

 private:
  void tell_isolated(const CheckResult& check) {
    const auto at = only_address(check);
    const std::string to = at ? target(check.from, at->to_string()) : check.to;
    const std::vector<std::string> families =
        at ? std::vector{family_of(*at)} : families_of(check, addresses_);
    for (const std::string& with : services_of(check)) {
      for (const std::string& family : families) {
        const bool kept =
            check.verdict == Verdict::pass &&
            (at || addresses_.is_up(check.from, to, family == kFamilies[0] ? IpFamily::v4 : IpFamily::v6));
        all.push_back({check.from, to, with, family, kept ? 'X' : ' ', kept ? check.observed : "", &check});
      }
    }
    if (!check.control || (check.verdict != Verdict::fail && check.verdict != Verdict::inconclusive)) return;
    const std::string& place = check.control->to;
    const auto address = IpAddress::parse(place.substr(0, place.find('%')));
    if (!address) return;
    const auto [sign, reason] = judged(check);
    all.push_back({check.from, target(check.from, address->to_string()), check.control->with,
                   family_of(*address), sign, reason, &check});
  }

  /// The node that an address stands for, else `to` itself.
  std::string target(const std::string& from, const std::string& to) const {
    const auto address = IpAddress::parse(to);
    const std::string node = address ? addresses_.named(from, *address) : std::string();
    return node.empty() ? to : node;
  }

  static std::string family_of(const IpAddress& address) {
    return std::string(kFamilies.at(address.is_v4() ? 0 : 1));
  }

  Addresses addresses_;
};

/// The host and its containers, the nodes around them, then what else was met, in that order.
std::vector<std::string> in_order(const ScenarioResult& scenario, const std::vector<Shown>& all) {
  std::vector<std::string> order;
  std::set<std::string_view> known;
  const auto add = [&](const std::string& name) {
    if (known.insert(name).second) order.push_back(name);
  };
  for (const std::string_view role : {"host", "container", "world"}) {
    for (const DrawnNode& node : scenario.network) {
      if (node.role == role) add(node.name);
    }
  }
  for (const Shown& shown : all) add(shown.from);
  for (const Shown& shown : all) add(shown.to);
  return order;
}

}  // namespace

std::vector<std::string> services_of(const CheckResult& check) {
  if (is_any_of(check.type, {kAttempt, "reach", "egress", "published", "deny"})) return {check.with};
  if (check.type == "resolve") return {check.with + "/53"};
  if (check.type == "isolated") return split(check.with);
  return {};
}

std::optional<IpAddress> only_address(const CheckResult& check) {
  // No other part of a result has it, and its id is stable.
  const std::string before = fmt::format("{} {} -> {} at ", check.type, check.from, check.to);
  if (check.type != "isolated" || !check.id.starts_with(before)) return std::nullopt;
  const std::string rest = check.id.substr(before.size());
  return IpAddress::parse(rest.substr(0, rest.find(' ')));
}

std::vector<Shown> shown_by(const ScenarioResult& scenario) {
  Teller teller(scenario);
  std::size_t as_built = scenario.checks.size();
  if (!scenario.changes.empty()) as_built = std::min(as_built, scenario.changes.front().before);
  for (std::size_t i = 0; i < as_built; ++i) {
    if (scenario.checks[i].verdict != Verdict::skip) teller.tell(scenario.checks[i]);
  }
  return std::move(teller.all);
}

std::vector<Contradiction> contradictions(const ScenarioResult& scenario) {
  const std::vector<Shown> all = shown_by(scenario);
  std::map<std::array<std::string_view, 4>, Cell> cells;
  for (const Shown& shown : all) cells[{shown.from, shown.to, shown.with, shown.family}].push_back(&shown);
  std::vector<Contradiction> contradictions;
  for (const auto& [key, cell] : cells) {
    const auto found = contradiction(cell);
    if (found.first == nullptr) continue;
    const auto denial = static_cast<std::size_t>(found.second->check - scenario.checks.data());
    contradictions.push_back({denial, to_text(found)});
  }
  return contradictions;
}

std::vector<Matrix> matrices(const ScenarioResult& scenario) {
  const std::vector<Shown> all = shown_by(scenario);
  const std::vector<std::string> order = in_order(scenario, all);
  std::map<std::pair<Rank, std::string>, Builder> builders;
  for (const Shown& shown : all) builders[{rank_of(shown.with), shown.family}].add(shown);
  std::vector<Matrix> matrices;
  for (const auto& [key, builder] : builders) {
    Matrix matrix = builder.build(order);
    const bool tells = std::ranges::any_of(matrix.cells, [](const std::string& row) {
      return row.find_first_not_of(" -") != std::string::npos;
    });
    if (tells) matrices.push_back(std::move(matrix));
  }
  return matrices;
}

}  // namespace plumbline::engine
