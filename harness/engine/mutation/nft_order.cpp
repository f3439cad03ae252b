#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {
namespace {

/// What a rule matches and does, as far as its words are those of simple rules.
struct Simple {
  std::map<std::string, std::set<std::string>> matches;  ///< "ip daddr" -> prefixes, "iifname" -> names
  std::string verdict;                                   ///< accept, drop, reject with ..., masquerade
};

class SimpleReader {
 public:
  explicit SimpleReader(std::string_view text) : words_(words_of(text)) {}

  /// Absent: it has words that are not known to do nothing but match, count, and end the packet's way.
  std::optional<Simple> read() {
    while (at_ < words_.size()) {
      if (!read_next()) return std::nullopt;
    }
    return simple_.verdict.empty() ? std::nullopt : std::optional(simple_);
  }

 private:
  bool is(std::size_t at, std::string_view text) const {
    return at < words_.size() && !words_[at].quoted && words_[at].text == text;
  }

  bool read_next() {
    constexpr std::array<std::string_view, 2> alone{"iifname", "oifname"};
    constexpr std::array<std::pair<std::string_view, std::string_view>, 13> pairs{{{"ip", "saddr"},
                                                                                   {"ip", "daddr"},
                                                                                   {"ip6", "saddr"},
                                                                                   {"ip6", "daddr"},
                                                                                   {"tcp", "dport"},
                                                                                   {"tcp", "sport"},
                                                                                   {"udp", "dport"},
                                                                                   {"udp", "sport"},
                                                                                   {"th", "dport"},
                                                                                   {"ct", "state"},
                                                                                   {"ct", "status"},
                                                                                   {"meta", "l4proto"},
                                                                                   {"meta", "nfproto"}}};
    if (is(at_, "counter")) return step(1);
    if (is(at_, "comment")) return step(2);
    if (read_verdict()) return true;
    if (!simple_.verdict.empty()) return false;
    for (const std::string_view key : alone) {
      if (is(at_, key)) return step(1) && read_values(std::string(key));
    }
    for (const auto& [first, second] : pairs) {
      if (!is(at_, first) || !is(at_ + 1, second)) continue;
      imply(first);
      return step(2) && read_values(std::string(first) + " " + std::string(second));
    }
    return false;
  }

  bool step(std::size_t words) {
    at_ += words;
    return true;
  }

  void imply(std::string_view protocol) {
    if (protocol == "ip") simple_.matches["meta nfproto"].insert("ipv4");
    if (protocol == "ip6") simple_.matches["meta nfproto"].insert("ipv6");
    if (protocol == "tcp" || protocol == "udp") simple_.matches["meta l4proto"].insert(std::string(protocol));
  }

  bool read_verdict() {
    for (const std::string_view verdict : {"accept", "drop", "masquerade"}) {
      if (!is(at_, verdict)) continue;
      simple_.verdict = verdict;
      return step(1);
    }
    if (!is(at_, "reject")) return false;
    for (; at_ < words_.size() && !is(at_, "comment"); ++at_) {
      simple_.verdict += std::string(words_[at_].text) + " ";
    }
    return true;
  }

  /// One value, or several in braces or with commas. Of what is not known exactly nothing is noted.
  bool read_values(const std::string& key) {
    if (at_ >= words_.size()) return false;
    std::set<std::string> values;
    bool exact = true;
    if (is(at_, "!=")) {
      exact = false;
      ++at_;
    }
    if (is(at_, "{")) {
      for (++at_; at_ < words_.size() && !is(at_, "}"); ++at_) {
        if (!is(at_, ",")) exact = take(words_[at_], values) && exact;
      }
      ++at_;
    } else if (at_ < words_.size()) {
      exact = take(words_[at_++], values) && exact;
    }
    if (exact && key != "ct status") simple_.matches[key] = std::move(values);
    return true;
  }

  static bool take(const Word& word, std::set<std::string>& values) {
    constexpr std::string_view inexact = "*@-:";
    const bool is_address = Prefix::parse(word.text).has_value();
    if (!is_address && word.quoted && word.text.find('*') != std::string_view::npos) return false;
    if (!is_address && !word.quoted && word.text.find_first_of(inexact) != std::string_view::npos)
      return false;
    std::string_view rest = word.text;
    while (!rest.empty()) {
      const std::size_t end = word.quoted ? rest.size() : std::min(rest.find(','), rest.size());
      values.emplace(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return true;
  }

  std::vector<Word> words_;
  std::size_t at_ = 0;
  Simple simple_;
};

bool can_be_the_same(const std::string& a, const std::string& b) {
  const auto first = Prefix::parse(a);
  const auto second = Prefix::parse(b);
  return first && second ? first->overlaps(*second) : a == b;
}

/// No value of one can be one of the other.
bool are_apart(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::ranges::none_of(a, [&](const std::string& x) {
    return std::ranges::any_of(b, [&](const std::string& y) { return can_be_the_same(x, y); });
  });
}

}  // namespace

bool order_matters(std::string_view first, std::string_view second) {
  const auto a = SimpleReader(first).read();
  const auto b = SimpleReader(second).read();
  if (!a || !b) return first != second;
  if (a->verdict == b->verdict) return false;
  return std::ranges::none_of(a->matches, [&](const auto& match) {
    const auto other = b->matches.find(match.first);
    return other != b->matches.end() && are_apart(match.second, other->second);
  });
}

}  // namespace plumbline::engine::mutation
