#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {
namespace {

using Words = std::vector<std::string>;

Words split(std::string_view line) {
  Words words;
  for (const std::string_view each : lines_of(line)) {
    std::string_view rest = each;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      if (end > 0) words.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return words;
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

bool has(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// The word behind `key`; empty: there is none.
std::string after(const Words& words, std::string_view key) {
  const auto found = std::ranges::find(words, key);
  return found == words.end() || found + 1 == words.end() ? std::string() : *(found + 1);
}

/// "default", "any", "all" stand for all addresses.
std::optional<Prefix> prefix_of(const std::string& word, IpFamily family) {
  if (word == "default" || word == "all")
    return Prefix(*IpAddress::parse(family == IpFamily::v4 ? "0.0.0.0" : "::"), 0);
  return Prefix::parse(word);
}

class Routing {
 public:
  Routing(Collector& into, IpFamily family)
      : into_(into), family_(family), ip_(family == IpFamily::v4 ? "ip -4" : "ip -6") {}

  void add_routes(std::string_view listing) {
    for (const std::string_view line : lines_of(listing)) {
      if (auto route = read_route(line)) routes_.push_back(std::move(*route));
    }
    for (const Route& route : routes_) add_route(route);
  }

  void add_rules(std::string_view listing) {
    std::vector<Rule> rules;
    for (const std::string_view line : lines_of(listing)) {
      if (auto rule = read_rule(line)) rules.push_back(std::move(*rule));
    }
    // With nothing but the routes that the kernel keeps for itself, the rules that it made lead nowhere.
    if (routes_.empty() && rules.size() <= 3) return;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (leads_nowhere(rules[i])) continue;
      if (are_asked(rules)) delete_rule(rules[i]);
      change_prefix(rules[i], "from");
      change_prefix(rules[i], "to");
      const auto next = std::find_if(rules.begin() + static_cast<std::ptrdiff_t>(i) + 1, rules.end(),
                                     [this](const Rule& rule) { return !leads_nowhere(rule); });
      if (next != rules.end()) swap_rules(rules[i], *next);
    }
  }

 private:
  struct Route {
    std::string line;  ///< as listed
    Words words;
    std::size_t at = 0;  ///< of its destination among them
    std::string table;
    std::optional<Prefix> to;
  };
  struct Rule {
    std::string line;  ///< as listed
    std::string priority;
    Words words;  ///< behind it
    std::string table() const { return after(words, "lookup"); }
    std::string text() const { return fmt::format("{}", fmt::join(words, " ")); }
  };

  /// Absent: none, or one that nobody has set.
  std::optional<Route> read_route(std::string_view line) {
    constexpr std::array<std::string_view, 4> kernels{"local", "broadcast", "multicast", "anycast"};
    constexpr std::array<std::string_view, 4> states{"linkdown", "dead", "offload", "\\"};
    constexpr std::array<std::string_view, 4> types{"blackhole", "unreachable", "prohibit", "throw"};
    Route route{std::string(line), split(line), 0, {}, {}};
    if (route.words.empty()) return std::nullopt;
    route.table = after(route.words, "table");
    if (route.table.empty()) route.table = "main";
    tables_.insert(route.table);
    if (is_one_of(route.words.front(), kernels)) return std::nullopt;
    // What comes and goes by itself.
    if (has(route.words, "expires") || has(route.words, "error") || has(route.words, "cache"))
      return std::nullopt;
    route.at = is_one_of(route.words.front(), types) ? 1 : 0;
    if (route.at >= route.words.size()) return std::nullopt;
    // What the kernel keeps on every interface.
    const std::string& to = route.words[route.at];
    if (after(route.words, "proto") == "kernel" && (to == "fe80::/64" || to == "ff00::/8"))
      return std::nullopt;
    std::erase_if(route.words, [&](const std::string& word) { return is_one_of(word, states); });
    route.to = prefix_of(route.words[route.at], family_);
    return route;
  }

  void add_route(const Route& route) {
    const std::string text = fmt::format("{}", fmt::join(route.words, " "));
    Mutant deleted;
    deleted.line = place("route") + text;
    deleted.unless_changed = {listed("-o", "route show table all", route.line)};
    deleted.commands = {fmt::format("{} route del {}", ip_, text)};
    into_.add("delete", deleted);
    if (!route.to) return;
    for (const OtherPrefix& other : other_prefixes(*route.to)) {
      if (adds_nothing(route, other.prefix)) continue;
      Words words = route.words;
      words[route.at] = short_text(other.prefix);
      const std::string changed = fmt::format("{}", fmt::join(words, " "));
      Mutant mutant = deleted;
      mutant.becomes = place("route") + changed;
      // The new one first: what leads to a gateway must not be missing when another route names it.
      mutant.commands = {fmt::format("{} route add {}", ip_, changed), deleted.commands.front()};
      into_.add(other.operation, std::move(mutant));
    }
  }

  /// To all that `wider` has beside the route's own there are more specific ones in its table.
  bool adds_nothing(const Route& route, const Prefix& wider) const {
    if (wider.length() >= route.to->length()) return false;
    return std::ranges::any_of(routes_, [&](const Route& other) {
      return other.table == route.table && other.to && other.to->length() == route.to->length() &&
             *other.to != *route.to && wider.contains(*other.to);
    });
  }

  static std::optional<Rule> read_rule(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    Rule rule{std::string(line), std::string(line.substr(0, colon)), split(line.substr(colon + 1))};
    std::erase(rule.words, "[detached]");
    return rule;
  }

  /// A lookup in a table without routes goes on to the next rule.
  bool leads_nowhere(const Rule& rule) const {
    return !rule.table().empty() && !tables_.contains(rule.table());
  }

  void delete_rule(const Rule& rule) { into_.add("delete", deletion_of(rule)); }

  /// The kernel asks IPv6's first rules, local and main, only once another was added, and goes by these
  /// tables of itself until then, whether the rules are there or not (fib6_has_custom_rules).
  bool are_asked(const std::vector<Rule>& rules) const { return family_ == IpFamily::v4 || rules.size() > 2; }

  Mutant deletion_of(const Rule& rule) const {
    Mutant mutant;
    mutant.line = fmt::format("{}{}: {}", place("rule"), rule.priority, rule.text());
    mutant.unless_changed = {listed("", "rule", rule.line)};
    mutant.commands = {rule_command("del", rule.priority, rule)};
    return mutant;
  }

  void change_prefix(const Rule& rule, std::string_view key) {
    const auto found = std::ranges::find(rule.words, key);
    if (found == rule.words.end() || found + 1 == rule.words.end() || *(found + 1) == "all") return;
    const auto prefix = prefix_of(*(found + 1), family_);
    if (!prefix) return;
    for (const OtherPrefix& other : other_prefixes(*prefix)) {
      Rule changed = rule;
      changed.words[static_cast<std::size_t>(found + 1 - rule.words.begin())] = short_text(other.prefix);
      Mutant mutant = deletion_of(rule);
      mutant.becomes = fmt::format("{}{}: {}", place("rule"), rule.priority, changed.text());
      mutant.commands.insert(mutant.commands.begin(), rule_command("add", rule.priority, changed));
      into_.add(other.operation, std::move(mutant));
    }
  }

  void swap_rules(const Rule& first, const Rule& second) {
    if (first.priority == second.priority || first.text() == second.text()) return;
    // Whichever of the two matches, the same table is asked.
    if (!first.table().empty() && first.table() == second.table() && is_plain(first) && is_plain(second))
      return;
    Mutant mutant = deletion_of(first);
    const Mutant other = deletion_of(second);
    mutant.becomes =
        fmt::format("{}{}: {}, behind: {}", place("rule"), second.priority, first.text(), second.text());
    mutant.unless_changed.push_back(other.unless_changed.front());
    mutant.commands = {rule_command("add", second.priority, first),
                       rule_command("add", first.priority, second), mutant.commands.front(),
                       other.commands.front()};
    into_.add("swap", std::move(mutant));
  }

  static bool is_plain(const Rule& rule) {
    return std::ranges::none_of(rule.words,
                                [](const std::string& word) { return word.starts_with("suppress_"); });
  }

  std::string place(std::string_view what) const {
    return fmt::format("ip{} {}: ", family_ == IpFamily::v4 ? "" : " -6", what);
  }
  std::string rule_command(std::string_view verb, const std::string& priority, const Rule& rule) const {
    return fmt::format("{} rule {} pref {} {}", ip_, verb, priority, rule.text());
  }
  /// That `line` is among what is listed.
  std::string listed(std::string_view option, std::string_view what, std::string_view line) const {
    return fmt::format("{}{}{} {} | grep -Fxq -- {}", ip_, option.empty() ? "" : " ", option, what,
                       shell_quoted(line));
  }

  Collector& into_;
  IpFamily family_;
  std::string ip_;
  std::set<std::string> tables_;  ///< that hold any route
  std::vector<Route> routes_;
};

}  // namespace

void add_routing(Collector& into, IpFamily family, std::string_view routes, std::string_view rules) {
  Routing routing(into, family);
  routing.add_routes(routes);
  routing.add_rules(rules);
}

}  // namespace plumbline::engine::mutation
