#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/mutation/nft_sets.hpp"
#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"
#include "harness/kernel/nftables/listing.hpp"

namespace plumbline::engine::mutation {
namespace {

using kernel::nft::TextChain;
using kernel::nft::TextRule;

/// A rule, or an element of a set, with one word changed.
struct Changed {
  std::string operation;
  std::string text;
};

bool is_text(const Word& word, std::string_view text) {
  return !word.quoted && word.text == text;
}

/// How many words a verdict has, from words[i] on; 0: there is none. What `jump` leads to is a name.
std::size_t length_of_verdict(const std::vector<Word>& words, std::size_t i) {
  const auto is = [&](std::size_t at, std::string_view text) {
    return at < words.size() && is_text(words[at], text);
  };
  if (i > 0 && (is(i - 1, "jump") || is(i - 1, "goto"))) return 0;
  if (is(i, "accept") || is(i, "drop")) return 1;
  if (!is(i, "reject")) return 0;
  if (!is(i + 1, "with")) return 1;
  return is(i + 3, "type") ? 5 : 4;  // with tcp reset, with icmp port-unreachable, with icmpx type ...
}

void add_flips(std::vector<Changed>& changes, std::string_view text) {
  const std::vector<Word> words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t count = length_of_verdict(words, i);
    if (count == 0) continue;
    const Word& last = words[std::min(i + count, words.size()) - 1];
    const std::string_view instead = is_text(words[i], "accept") ? "drop" : "accept";
    const std::size_t length = last.at + last.text.size() - words[i].at;
    changes.push_back({"flip", replaced(text, words[i].at, length, instead)});
    i += count - 1;
  }
}

/// What is matched: not what a packet gets, nor what a bit mask is compared with.
bool is_matched(const std::vector<Word>& words, std::size_t i) {
  constexpr std::array<std::string_view, 7> others{"to", ":", "&", "|", "^", "==", "set"};
  return i > 0 && std::ranges::find(others, words[i - 1].text) == others.end();
}

void add_prefixes(std::vector<Changed>& changes, std::string_view text, bool also_first) {
  const std::vector<Word> words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].quoted || !(is_matched(words, i) || (also_first && i == 0))) continue;
    const auto prefix = Prefix::parse(words[i].text);
    if (!prefix) continue;
    for (OtherPrefix& other : other_prefixes(*prefix)) {
      changes.push_back({std::move(other.operation),
                         replaced(text, words[i].at, words[i].text.size(), short_text(other.prefix))});
    }
  }
}

/// iptables' extensions for which nft's language has no words.
bool can_be_written(std::string_view text) {
  const std::vector<Word> words = words_of(text);
  return std::ranges::none_of(words, [](const Word& word) {
    return is_text(word, "xt") || (!word.quoted && word.text.find('[') != std::string_view::npos);
  });
}

class ChainMutants {
 public:
  ChainMutants(Collector& into, const TextChain& chain)
      : into_(into),
        name_(fmt::format("{} {} {}", chain.family, chain.table, chain.name)),
        list_(fmt::format("nft -sa list chain {} | tr -s ' \\t\\n' ' ' | grep -Fq -- ", name_)),
        chain_(chain) {}

  void add() {
    add_policy();
    for (std::size_t i = 0; i < chain_.rules.size(); ++i) add_rule(i);
  }

 private:
  void add_policy() {
    if (chain_.policy.empty()) return;
    const std::string other = chain_.policy == "accept" ? "drop" : "accept";
    Mutant mutant;
    mutant.line = fmt::format("{}: policy {}", name_, chain_.policy);
    mutant.becomes = fmt::format("{}: policy {}", name_, other);
    mutant.unless_changed = {list_ + shell_quoted(fmt::format("policy {};", chain_.policy))};
    mutant.commands = {nft(fmt::format("add chain {} {{ policy {}; }}", name_, other))};
    into_.add("flip", std::move(mutant));
  }

  void add_rule(std::size_t i) {
    const TextRule& rule = chain_.rules[i];
    const TextRule* next = i + 1 < chain_.rules.size() ? &chain_.rules[i + 1] : nullptr;
    // Of two that are the same it does not matter which one is gone.
    if (next == nullptr || next->text != rule.text) {
      Mutant mutant = mutant_of(rule);
      mutant.commands = {nft(deletion_of(rule))};
      into_.add("delete", std::move(mutant));
    }
    if (next != nullptr) add_swap(rule, *next);
    if (!can_be_written(rule.text)) return;
    std::vector<Changed> changes;
    add_flips(changes, rule.text);
    add_prefixes(changes, rule.text, false);
    for (Changed& change : changes) {
      Mutant mutant = mutant_of(rule);
      mutant.becomes = fmt::format("{}: {}", name_, change.text);
      // nft 1.0.6 aborts at `replace rule` with an anonymous set.
      mutant.commands = {nft(
          fmt::format("add rule {} handle {} {}; {}", name_, rule.handle, change.text, deletion_of(rule)))};
      into_.add(change.operation, std::move(mutant));
    }
  }

  void add_swap(const TextRule& first, const TextRule& second) {
    if (!order_matters(first.text, second.text)) return;
    Mutant mutant = mutant_of(first);
    mutant.unless_changed.push_back(test_of(second));
    mutant.becomes = fmt::format("{}: {}, behind: {}", name_, first.text, second.text);
    if (can_be_written(first.text)) {
      mutant.commands = {nft(
          fmt::format("{}; add rule {} handle {} {}", deletion_of(first), name_, second.handle, first.text))};
    } else if (can_be_written(second.text)) {
      mutant.commands = {nft(fmt::format("{}; insert rule {} handle {} {}", deletion_of(second), name_,
                                         first.handle, second.text))};
    } else {
      return;
    }
    into_.add("swap", std::move(mutant));
  }

  Mutant mutant_of(const TextRule& rule) const {
    Mutant mutant;
    mutant.line = fmt::format("{}: {}", name_, rule.text);
    mutant.unless_changed = {test_of(rule)};
    return mutant;
  }
  std::string test_of(const TextRule& rule) const {
    return list_ + shell_quoted(fmt::format(" {} # handle {} ", squeezed(rule.text), rule.handle));
  }
  std::string deletion_of(const TextRule& rule) const {
    return fmt::format("delete rule {} handle {}", name_, rule.handle);
  }
  /// All of it in one transaction.
  static std::string nft(std::string_view commands) { return "nft " + shell_quoted(commands); }

  Collector& into_;
  std::string name_;
  std::string list_;
  const TextChain& chain_;
};

void add_set(Collector& into, const TextSet& set) {
  for (const std::string& element : set.elements) {
    const std::string deletion = fmt::format("delete element {} {{ {} }}", set.name, element);
    Mutant deleted;
    deleted.line = fmt::format("{}: {}", set.name, element);
    deleted.unless_changed = {
        "nft " + shell_quoted(fmt::format("get element {} {{ {} }}", set.name, element)) + " >/dev/null"};
    deleted.commands = {"nft " + shell_quoted(deletion)};
    into.add("delete", deleted);
    std::vector<Changed> changes;
    add_flips(changes, element);
    if (set.interval) add_prefixes(changes, element, true);
    for (Changed& change : changes) {
      Mutant mutant = deleted;
      mutant.becomes = fmt::format("{}: {}", set.name, change.text);
      mutant.commands = {
          "nft " + shell_quoted(fmt::format("{}; add element {} {{ {} }}", deletion, set.name, change.text))};
      into.add(change.operation, std::move(mutant));
    }
  }
}

}  // namespace

void add_nft(Collector& into, std::string_view listing) {
  for (const TextChain& chain : kernel::nft::parse_chains(listing)) ChainMutants(into, chain).add();
  for (const TextSet& set : parse_sets(listing)) add_set(into, set);
}

}  // namespace plumbline::engine::mutation
