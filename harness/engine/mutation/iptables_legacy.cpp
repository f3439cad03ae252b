#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {
namespace {

struct Rule {
  std::string chain;
  std::size_t number = 0;  ///< from 1, in its chain
  std::string text;        ///< behind "-A CHAIN"
  std::string line() const { return fmt::format("-A {}{}{}", chain, text.empty() ? "" : " ", text); }
};

/// From `-j` on, and what stands before it.
std::pair<std::string_view, std::string_view> at_target(std::string_view text) {
  const std::vector<Word> words = words_of(text);
  const auto found =
      std::ranges::find_if(words, [](const Word& word) { return word.text == "-j" && !word.quoted; });
  const std::size_t at = found == words.end() ? text.size() : found->at;
  return {text.substr(0, at), text.substr(at)};
}

/// Ends a packet's way, and keeps nothing in mind: such rules of one target may stand in any order.
bool is_simple_end(std::string_view text) {
  constexpr std::array<std::string_view, 9> remembers{
      "limit", "hashlimit", "recent", "statistic", "quota", "connlimit", "rateest", "nfacct", "set"};
  const auto [matches, target] = at_target(text);
  const std::vector<Word> words = words_of(matches);
  const bool keeps = std::ranges::any_of(
      words, [&](const Word& word) { return std::ranges::find(remembers, word.text) != remembers.end(); });
  return !keeps && (target.starts_with("-j ACCEPT") || target.starts_with("-j DROP") ||
                    target.starts_with("-j REJECT") || target.starts_with("-j MASQUERADE"));
}

class TableMutants {
 public:
  TableMutants(Collector& into, std::string tool, std::string table)
      : into_(into), tool_(std::move(tool)), table_(std::move(table)) {}

  void add_policy(const std::string& chain, const std::string& policy) {
    const std::string other = policy == "ACCEPT" ? "DROP" : "ACCEPT";
    Mutant mutant;
    mutant.line = line_of(fmt::format("-P {} {}", chain, policy));
    mutant.becomes = line_of(fmt::format("-P {} {}", chain, other));
    mutant.unless_changed = {fmt::format("{} -S {} | grep -Fxq -- {}", command(), chain,
                                         shell_quoted(fmt::format("-P {} {}", chain, policy)))};
    mutant.commands = {fmt::format("{} -P {} {}", command(), chain, other)};
    into_.add("flip", std::move(mutant));
  }

  void add_rules(const std::vector<Rule>& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Rule* next =
          i + 1 < rules.size() && rules[i + 1].chain == rules[i].chain ? &rules[i + 1] : nullptr;
      if (next == nullptr || next->text != rules[i].text) add_deletion(rules[i]);
      if (next != nullptr) add_swap(rules[i], *next);
      add_flip(rules[i]);
      add_prefixes(rules[i]);
    }
  }

 private:
  void add_deletion(const Rule& rule) {
    Mutant mutant = mutant_of(rule);
    mutant.commands = {fmt::format("{} -D {} {}", command(), rule.chain, rule.number)};
    into_.add("delete", std::move(mutant));
  }

  void add_swap(const Rule& first, const Rule& second) {
    if (first.text == second.text) return;
    const bool same_end = at_target(first.text).second == at_target(second.text).second;
    if (same_end && is_simple_end(first.text) && is_simple_end(second.text)) return;
    Mutant mutant = mutant_of(first);
    mutant.unless_changed.push_back(test_of(second));
    mutant.becomes = line_of(fmt::format("{}, behind: {}", first.line(), second.line()));
    mutant.commands = {restore(
        fmt::format("-D {0} {1}\n-I {0} {2} {3}", first.chain, first.number, second.number, first.text))};
    into_.add("swap", std::move(mutant));
  }

  void add_flip(const Rule& rule) {
    const auto [matches, target] = at_target(rule.text);
    if (target.starts_with("-j ACCEPT")) {
      replace(rule, "flip", fmt::format("{}-j DROP", matches));
    } else if (target.starts_with("-j DROP") || target.starts_with("-j REJECT")) {
      replace(rule, "flip", fmt::format("{}-j ACCEPT", matches));
    }
  }

  void add_prefixes(const Rule& rule) {
    const std::vector<Word> words = words_of(rule.text);
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i - 1].text != "-s" && words[i - 1].text != "-d") continue;
      const auto prefix = Prefix::parse(words[i].text);
      if (!prefix) continue;
      for (const OtherPrefix& other : other_prefixes(*prefix)) {
        replace(rule, other.operation,
                replaced(rule.text, words[i].at, words[i].text.size(), other.prefix.to_string()));
      }
    }
  }

  void replace(const Rule& rule, const std::string& operation, const std::string& text) {
    Mutant mutant = mutant_of(rule);
    mutant.becomes = line_of(fmt::format("-A {} {}", rule.chain, text));
    mutant.commands = {restore(fmt::format("-R {} {} {}", rule.chain, rule.number, text))};
    into_.add(operation, std::move(mutant));
  }

  Mutant mutant_of(const Rule& rule) const {
    Mutant mutant;
    mutant.line = line_of(rule.line());
    mutant.unless_changed = {test_of(rule)};
    return mutant;
  }
  std::string test_of(const Rule& rule) const {
    return fmt::format(R"sh([ "$({} -S {} {})" = {} ])sh", command(), rule.chain, rule.number,
                       shell_quoted(rule.line()));
  }
  std::string line_of(std::string_view text) const { return fmt::format("{} {}: {}", tool_, table_, text); }
  std::string command() const { return fmt::format("{} -t {}", tool_, table_); }
  /// In one go. Words are quoted as the tool itself does it, which is not as a shell does.
  std::string restore(const std::string& lines) const {
    return fmt::format("printf '%s\\n' {} | {}-restore --noflush",
                       shell_quoted(fmt::format("*{}\n{}\nCOMMIT", table_, lines)), tool_);
  }

  Collector& into_;
  std::string tool_, table_;
};

}  // namespace

void add_iptables_legacy(Collector& into, const std::string& tool, std::string_view saved) {
  std::string table;
  std::vector<Rule> rules;
  const auto finish = [&] {
    TableMutants(into, tool, table).add_rules(rules);
    rules.clear();
  };
  for (const std::string_view line : lines_of(saved)) {
    const std::vector<Word> words = words_of(line);
    if (line.starts_with("*")) {
      table = line.substr(1);
    } else if (line.starts_with(":") && words.size() >= 2) {
      const std::string policy(words[1].text);
      if (policy != "-")
        TableMutants(into, tool, table).add_policy(std::string(words[0].text.substr(1)), policy);
    } else if (line.starts_with("-A ") && words.size() >= 2) {
      Rule rule;
      rule.chain = words[1].text;
      const std::size_t end = words[1].at + words[1].text.size();
      rule.text = line.substr(std::min(end + 1, line.size()));
      rule.number = rules.empty() || rules.back().chain != rule.chain ? 1 : rules.back().number + 1;
      rules.push_back(std::move(rule));
    } else if (line == "COMMIT") {
      finish();
    }
  }
}

}  // namespace plumbline::engine::mutation
