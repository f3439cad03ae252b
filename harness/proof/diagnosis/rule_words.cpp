#include "harness/proof/diagnosis/rule_words.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace plumbline::proof::firewall {
namespace {

using Verdict = RuleWords::Verdict;
using Words = std::vector<std::string>;

/// Blanks part words but inside quotes, which are taken off; braces and commas are words of their own. With
/// `escapes`, a backslash takes its meaning from a quote, as iptables writes it.
Words split(std::string_view text, bool escapes) {
  Words words;
  std::string word;
  bool quoted = false;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  bool escaped = false;
  for (const char c : text) {
    if (std::exchange(escaped, false)) {  // NOLINT(bugprone-branch-clone): in order, each for its own reason
      word += c;
    } else if (escapes && quoted && c == '\\') {
      escaped = true;
    } else if (c == '"') {
      quoted = !quoted;
      if (!quoted && word.empty()) words.emplace_back();
    } else if (quoted) {
      word += c;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      end_word();
    } else if (c == '{' || c == '}' || c == ',') {
      end_word();
      words.emplace_back(1, c);
    } else {
      word += c;
    }
  }
  end_word();
  return words;
}

std::optional<std::uint16_t> number_in(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<std::uint16_t> protocol_in(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint16_t>, 6> names{{{"tcp", IPPROTO_TCP},
                                                                             {"udp", IPPROTO_UDP},
                                                                             {"icmp", IPPROTO_ICMP},
                                                                             {"icmpv6", IPPROTO_ICMPV6},
                                                                             {"ipv6-icmp", IPPROTO_ICMPV6},
                                                                             {"sctp", IPPROTO_SCTP}}};
  for (const auto& [name, number] : names) {
    if (name == text) return number;
  }
  return number_in(text);
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  // What nft writes for a number unless it is told not to
  constexpr std::array<std::pair<std::string_view, std::uint16_t>, 6> names{
      {{"domain", 53}, {"http", 80}, {"https", 443}, {"ssh", 22}, {"echo", 7}, {"ntp", 123}}};
  for (const auto& [name, number] : names) {
    if (name == text) return number;
  }
  return number_in(text);
}

template <class Value, class Parse>
bool add_range(Allowed<Value>& allowed, const std::string& word, char dash, const Parse& parse) {
  if (const auto value = parse(word)) {
    allowed.ranges.emplace_back(*value, *value);
    return true;
  }
  const auto at = word.find(dash);
  if (at == std::string::npos) return false;
  const auto first = parse(std::string_view(word).substr(0, at));
  const auto last = parse(std::string_view(word).substr(at + 1));
  if (!first || !last) return false;
  allowed.ranges.emplace_back(*first, *last);
  return true;
}

bool add(Allowed<IpAddress>& allowed, const std::string& word) {
  if (const auto prefix = Prefix::parse(word)) {
    allowed.ranges.emplace_back(prefix->address(), prefix->last());
    return true;
  }
  return add_range(allowed, word, '-', [](std::string_view text) { return IpAddress::parse(text); });
}

bool add_name(RuleWords::Names& allowed, const std::string& word, char wildcard) {
  if (word.empty() || word.front() == '@' || word.front() == '$') return false;
  if (word.back() != wildcard) {
    allowed.ranges.emplace_back(word, word);
  } else {
    const std::string stem = word.substr(0, word.size() - 1);
    allowed.ranges.emplace_back(stem, stem + std::string(16, '\x7f'));
  }
  return true;
}

/// iptables' targets that lead to another destination.
bool is_dnat(std::string_view target) {
  return target == "DNAT" || target == "REDIRECT" || target == "TPROXY";
}

/// What one rule says, word after word.
class Reader {
 public:
  Reader(std::string_view text, bool escapes) : words_(split(text, escapes)) {}

 protected:
  bool done() const { return at_ >= words_.size(); }
  const std::string& peek() const { return words_[at_]; }
  std::string take() { return done() ? std::string() : words_[at_++]; }
  bool take_if(std::string_view word) {
    if (done() || peek() != word) return false;
    ++at_;
    return true;
  }

  template <class Value, class Add>
  void restrict(std::optional<Allowed<Value>>& condition, bool inverted, const Words& values,
                const Add& add_value) {
    Allowed<Value> allowed;
    allowed.inverted = inverted;
    for (const std::string& value : values) {
      if (!add_value(allowed, value)) {
        rule_.doubt = true;
        return;
      }
    }
    // A second condition on the same is beyond us, and only the first is kept.
    if (condition && *condition != allowed) {
      rule_.doubt = true;
    } else {
      condition = std::move(allowed);
    }
  }

  Words words_;
  std::size_t at_ = 0;
  RuleWords rule_;
};

class NftReader : Reader {
 public:
  using Reader::Reader;

  RuleWords read() {
    while (!done()) statement(take());
    return std::move(rule_);
  }

 private:
  static bool is_comparison(const std::string& word) { return word == "==" || word == "!="; }

  /// "80", "{ 80, 443 }", "established,related"
  Words values() {
    Words values;
    if (take_if("{")) {
      while (!done() && !take_if("}")) {
        if (!take_if(",")) values.push_back(take());
      }
      return values;
    }
    values.push_back(take());
    while (take_if(",")) values.push_back(take());
    return values;
  }

  template <class Value, class Add>
  void condition(std::optional<Allowed<Value>>& of, const Add& add_value) {
    bool inverted = false;
    if (!done() && is_comparison(peek())) inverted = take() == "!=";
    // A map, or several fields at once
    if (!done() && (peek() == "vmap" || peek() == "." || peek() == "&" || peek() == "/")) return unknown();
    const Words given = values();
    if (!done() && (peek() == "." || peek() == "/")) return unknown();
    restrict(of, inverted, given, add_value);
  }

  /// Some condition: whatever comes is passed over until the rule says what is done.
  void unknown() {
    rule_.doubt = true;
    while (!done() && !is_verdict(peek())) {
      if (peek() == ":" || peek() == "vmap") return vmap();
      take();
    }
  }

  /// Verdicts inside a map, a target of iptables' that nft cannot spell: what the rule does is not told.
  void vmap() {
    rule_.doubt = true;
    rule_.verdict = Verdict::other;
    at_ = words_.size();
  }

  static bool is_verdict(const std::string& word) {
    constexpr std::array<std::string_view, 15> verdicts{
        "accept", "drop",     "reject", "jump",     "goto",  "return",  "masquerade", "snat",
        "dnat",   "redirect", "tproxy", "continue", "queue", "counter", "log"};
    return std::ranges::count(verdicts, word) != 0;
  }

  void interface_condition(std::optional<RuleWords::Names>& of) {
    condition(of,
              [](RuleWords::Names& names, const std::string& word) { return add_name(names, word, '*'); });
  }
  void addresses(IpFamily family) {
    rule_.family = family;
    const std::string field = take();
    const auto add_address = [](Allowed<IpAddress>& a, const std::string& word) { return add(a, word); };
    if (field == "saddr") return condition(rule_.source, add_address);
    if (field == "daddr") return condition(rule_.destination, add_address);
    if (field == "protocol" || field == "nexthdr") return protocols();
    unknown();
  }
  void protocols() {
    condition(rule_.protocol, [](Allowed<std::uint16_t>& allowed, const std::string& word) {
      return add_range(allowed, word, '-', protocol_in);
    });
  }
  void only_protocol(std::uint16_t number) {
    Allowed<std::uint16_t> only;
    only.ranges.emplace_back(number, number);
    if (!rule_.protocol) rule_.protocol = only;
  }
  void ports(std::optional<std::uint16_t> protocol) {
    if (protocol) only_protocol(*protocol);
    const std::string field = take();
    const auto add_port = [](Allowed<std::uint16_t>& allowed, const std::string& word) {
      return add_range(allowed, word, '-', port_in);
    };
    if (field == "sport") return condition(rule_.source_port, add_port);
    if (field == "dport") return condition(rule_.destination_port, add_port);
    unknown();
  }
  void icmp(std::uint16_t protocol) {
    only_protocol(protocol);
    if (!take_if("type")) return unknown();
    // Of all ICMP, probes are echo requests, and their answers echo replies.
    rule_.doubt = true;
    values();
  }
  void families() {
    const Words given = values();
    if (given.size() != 1) return unknown();
    if (given[0] == "ipv4" || given[0] == "ip")
      rule_.family = IpFamily::v4;
    else if (given[0] == "ipv6" || given[0] == "ip6")
      rule_.family = IpFamily::v6;
    else
      unknown();
  }
  void frame_types() {
    condition(rule_.ether,
              [](RuleWords::Names& names, const std::string& word) { return add_name(names, word, '\0'); });
  }
  void conntrack() {
    if (take_if("status")) {
      // "dnat" asks here whether it was done, and does not do it.
      if (!done() && is_comparison(peek())) take();
      values();
      rule_.doubt = true;
      return;
    }
    if (!take_if("state")) return unknown();
    condition(rule_.state,
              [](RuleWords::Names& names, const std::string& word) { return add_name(names, word, '\0'); });
  }

  void meta(const std::string& key) {
    if (key == "iifname" || key == "iif") return interface_condition(rule_.iif);
    if (key == "oifname" || key == "oif") return interface_condition(rule_.oif);
    if (key == "nfproto" || key == "protocol") return families();
    if (key == "l4proto") return protocols();
    if (!done() && words_.size() > at_ && take_if("set")) {
      take();
      return;
    }
    unknown();
  }

  void log() {
    constexpr std::array<std::string_view, 6> with_value{"prefix",  "level",           "group",
                                                         "snaplen", "queue-threshold", "flags"};
    while (!done() && std::ranges::count(with_value, peek()) != 0) {
      const bool flags = take() == "flags";
      const std::string value = take();
      // "flags tcp sequence,options", "flags ip options"
      if (flags && (value == "tcp" || value == "ip")) values();
    }
  }

  void statement(const std::string& word) {
    if (word == "iifname" || word == "oifname" || word == "iif" || word == "oif") return meta(word);
    if (word == "meta") return meta(take());
    if (word == "ip") return addresses(IpFamily::v4);
    if (word == "ip6") return addresses(IpFamily::v6);
    if (word == "tcp") return ports(IPPROTO_TCP);
    if (word == "udp") return ports(IPPROTO_UDP);
    if (word == "th") return ports(std::nullopt);
    if (word == "icmp") return icmp(IPPROTO_ICMP);
    if (word == "icmpv6") return icmp(IPPROTO_ICMPV6);
    if (word == "ct") return conntrack();
    if (word == "ether" && take_if("type")) return frame_types();
    if (word == "log") return log();
    if (word == "notrack" || word == "continue") return;
    if (word == "xt" && take_if("target")) return target(take());
    if (word == "comment") {
      take();
      return;
    }
    if (word == "counter") {
      if (take_if("packets")) at_ = std::min(at_ + 3, words_.size());
      return;
    }
    if (verdict(word)) return;
    unknown();
  }

  /// One of iptables' own, which nft knows by its name alone.
  void target(const std::string& name) {
    if (name != "MASQUERADE" && !is_dnat(name)) return vmap();
    rule_.verdict = name == "MASQUERADE" ? Verdict::masquerade : Verdict::dnat;
    at_ = words_.size();
  }

  bool verdict(const std::string& word) {
    if (word == "accept")
      rule_.verdict = Verdict::accept;
    else if (word == "drop")
      rule_.verdict = Verdict::drop;
    else if (word == "reject")
      rule_.verdict = Verdict::reject;
    else if (word == "return")
      rule_.verdict = Verdict::back;
    else if (word == "masquerade")
      rule_.verdict = Verdict::masquerade;
    else if (word == "jump" || word == "goto") {
      rule_.verdict = word == "jump" ? Verdict::jump : Verdict::go_to;
      rule_.target = take();
    } else if (word == "snat") {
      rule_.verdict = Verdict::snat;
      if (!take_if("ip")) take_if("ip6");
      if (take_if("to")) rule_.target = take();
    } else if (word == "dnat" || word == "redirect" || word == "tproxy")
      rule_.verdict = Verdict::dnat;
    else if (word == "queue")
      rule_.verdict = Verdict::other;
    else
      return false;
    // What follows says how: "with tcp reset", "fully-random". A comment tells nothing either.
    at_ = words_.size();
    return true;
  }
};

class IptablesReader : Reader {
 public:
  using Reader::Reader;

  RuleWords read() {
    while (!done()) option();
    return std::move(rule_);
  }

 private:
  /// "80,443"
  Words values() {
    Words values{take()};
    while (take_if(",")) values.push_back(take());
    return values;
  }
  void ports(std::optional<Allowed<std::uint16_t>>& of, bool inverted) {
    restrict(of, inverted, values(), [](Allowed<std::uint16_t>& allowed, const std::string& word) {
      return add_range(allowed, word, ':', port_in);
    });
  }
  void addresses(std::optional<Allowed<IpAddress>>& of, bool inverted) {
    const Words given = values();
    if (given.size() == 1) {
      if (const auto prefix = Prefix::parse(given[0])) rule_.family = prefix->family();
    }
    restrict(of, inverted, given,
             [](Allowed<IpAddress>& a, const std::string& word) { return add(a, word); });
  }
  void interfaces(std::optional<RuleWords::Names>& of, bool inverted) {
    restrict(of, inverted, values(),
             [](RuleWords::Names& names, const std::string& word) { return add_name(names, word, '+'); });
  }
  void states(bool inverted) {
    Words given = values();
    for (std::string& state : given) {
      for (char& c : state) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    restrict(rule_.state, inverted, given,
             [](RuleWords::Names& names, const std::string& word) { return add_name(names, word, '\0'); });
  }
  void match(const std::string& module) {
    if (module == "tcp" || module == "udp" || module == "comment" || module == "multiport") return;
    // A module's options follow it. Without any, it is one whose options nobody could spell out.
    if (done() || !(peek().starts_with("--") || peek() == "!")) rule_.doubt = true;
  }
  void target(const std::string& name, bool go_to) {
    if (name == "ACCEPT")
      rule_.verdict = Verdict::accept;
    else if (name == "DROP")
      rule_.verdict = Verdict::drop;
    else if (name == "REJECT")
      rule_.verdict = Verdict::reject;
    else if (name == "RETURN")
      rule_.verdict = Verdict::back;
    else if (name == "MASQUERADE")
      rule_.verdict = Verdict::masquerade;
    else if (name == "SNAT")
      rule_.verdict = Verdict::snat;
    else if (is_dnat(name))
      rule_.verdict = Verdict::dnat;
    else if (name == "QUEUE" || name == "NFQUEUE")
      rule_.verdict = Verdict::other;
    else if (!continues(name)) {
      rule_.verdict = go_to ? Verdict::go_to : Verdict::jump;
      rule_.target = name;
    }
    while (!done()) {
      if (take() == "--to-source") rule_.target = take();
    }
  }
  static bool continues(const std::string& name) {
    constexpr std::array<std::string_view, 11> names{"LOG",     "NFLOG",    "MARK",    "CONNMARK",
                                                     "CT",      "TRACE",    "TCPMSS",  "DSCP",
                                                     "NOTRACK", "CHECKSUM", "CLASSIFY"};
    return std::ranges::count(names, name) != 0;
  }

  // NOLINTBEGIN(bugprone-branch-clone): an option's words in order, whatever two of them share
  void option() {
    const bool inverted = take_if("!");
    const std::string word = take();
    if (word == "-A")
      take();
    else if (word == "-s")
      addresses(rule_.source, inverted);
    else if (word == "-d")
      addresses(rule_.destination, inverted);
    else if (word == "-i")
      interfaces(rule_.iif, inverted);
    else if (word == "-o")
      interfaces(rule_.oif, inverted);
    else if (word == "-p")
      restrict(rule_.protocol, inverted, values(), [](Allowed<std::uint16_t>& a, const std::string& given) {
        return add_range(a, given, '-', protocol_in);
      });
    else if (word == "--dport" || word == "--dports")
      ports(rule_.destination_port, inverted);
    else if (word == "--sport" || word == "--sports")
      ports(rule_.source_port, inverted);
    else if (word == "--ctstate" || word == "--state")
      states(inverted);
    else if (word == "--comment")
      take();
    else if (word == "-m")
      match(take());
    else if (word == "-j" || word == "-g")
      target(take(), word == "-g");
    else
      rule_.doubt = true;
  }
  // NOLINTEND(bugprone-branch-clone)
};

}  // namespace

RuleWords read_rule(RuleMet::Backend backend, std::string_view text) {
  return backend == RuleMet::Backend::nftables ? NftReader(text, false).read()
                                               : IptablesReader(text, true).read();
}

}  // namespace plumbline::proof::firewall
