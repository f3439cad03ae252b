#include "harness/network/setup/cni_shared_rules.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace plumbline::network {
namespace {

/// Without a rule: the chain alone. In rules <bridge>, <admin> and <mark> stand for names and numbers, one
/// for the same one.
struct Shared {
  std::string_view table, chain, rule;
};

constexpr std::array kNft{
    // firewall
    Shared{"filter", "<admin>", ""},
    Shared{"filter", "FORWARD", "jump CNI-FORWARD"},
    Shared{"filter", "CNI-FORWARD", "jump <admin>"},
    Shared{"filter", "FORWARD", "jump CNI-ISOLATION-STAGE-1"},
    Shared{"filter", "CNI-ISOLATION-STAGE-1",
           "iifname <bridge> oifname != <bridge> jump CNI-ISOLATION-STAGE-2"},
    Shared{"filter", "CNI-ISOLATION-STAGE-1", "return"},
    Shared{"filter", "CNI-ISOLATION-STAGE-2", "oifname <bridge> drop"},
    Shared{"filter", "CNI-ISOLATION-STAGE-2", "return"},
    // portmap
    Shared{"nat", "CNI-HOSTPORT-DNAT", ""},
    Shared{"nat", "PREROUTING", "fib daddr type local jump CNI-HOSTPORT-DNAT"},
    Shared{"nat", "OUTPUT", "fib daddr type local jump CNI-HOSTPORT-DNAT"},
    Shared{"nat", "PREROUTING", "xt match \"addrtype\" jump CNI-HOSTPORT-DNAT"},
    Shared{"nat", "OUTPUT", "xt match \"addrtype\" jump CNI-HOSTPORT-DNAT"},
    Shared{"nat", "POSTROUTING", "jump CNI-HOSTPORT-MASQ"},
    Shared{"nat", "CNI-HOSTPORT-MASQ", "meta mark & <mark> == <mark> masquerade"},
    Shared{"nat", "CNI-HOSTPORT-MASQ", "meta mark & <mark> == <mark> xt target \"MASQUERADE\""},
    Shared{"nat", "CNI-HOSTPORT-SETMARK", "meta mark set mark or <mark>"},
    Shared{"nat", "CNI-HOSTPORT-SETMARK", "meta mark set meta mark | <mark>"},
    Shared{"nat", "CNI-HOSTPORT-SETMARK", "xt target \"MARK\""},
    Shared{"cni_hostport", "hostports", ""},
    Shared{"cni_hostport", "hostip_hostports", ""},
    Shared{"cni_hostport", "masquerading", ""},
    Shared{"cni_hostport", "prerouting", "jump hostip_hostports"},
    Shared{"cni_hostport", "prerouting", "jump hostports"},
    Shared{"cni_hostport", "output", "jump hostip_hostports"},
    Shared{"cni_hostport", "output", "fib daddr type local jump hostports"},
    // ipMasq
    Shared{"cni_plugins_masquerade", "masq_checks", ""},
    Shared{"cni_plugins_masquerade", "postrouting", "ip daddr 224.0.0.0/4 return"},
    Shared{"cni_plugins_masquerade", "postrouting", "ip6 daddr ff00::/8 return"},
    Shared{"cni_plugins_masquerade", "postrouting", "goto masq_checks"},
};

constexpr std::array kLegacy{
    Shared{"filter", "<admin>", ""},
    Shared{"filter", "FORWARD", "-j CNI-FORWARD"},
    Shared{"filter", "CNI-FORWARD", "-j <admin>"},
    Shared{"filter", "FORWARD", "-j CNI-ISOLATION-STAGE-1"},
    Shared{"filter", "CNI-ISOLATION-STAGE-1", "-i <bridge> ! -o <bridge> -j CNI-ISOLATION-STAGE-2"},
    Shared{"filter", "CNI-ISOLATION-STAGE-1", "-j RETURN"},
    Shared{"filter", "CNI-ISOLATION-STAGE-2", "-o <bridge> -j DROP"},
    Shared{"filter", "CNI-ISOLATION-STAGE-2", "-j RETURN"},
    Shared{"nat", "CNI-HOSTPORT-DNAT", ""},
    Shared{"nat", "PREROUTING", "-m addrtype -j CNI-HOSTPORT-DNAT"},
    Shared{"nat", "OUTPUT", "-m addrtype -j CNI-HOSTPORT-DNAT"},
    Shared{"nat", "POSTROUTING", "-j CNI-HOSTPORT-MASQ"},
    Shared{"nat", "CNI-HOSTPORT-MASQ", "-m mark -j MASQUERADE"},
    Shared{"nat", "CNI-HOSTPORT-SETMARK", "-j MARK"},
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(' '); at != std::string_view::npos;
       at = text.find_first_not_of(' ', at)) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

bool is_number(std::string_view word) {
  if (word.starts_with("0x")) word.remove_prefix(2);
  return !word.empty() && word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool stands_for(std::string_view placeholder, std::string word, const KeptNames& names) {
  std::erase(word, '"');
  if (placeholder == "<mark>") return is_number(word);
  return (placeholder == "<bridge>" ? names.bridges : names.admin_chains).contains(word);
}

bool is_as(std::string_view pattern, const std::vector<std::string>& words, const KeptNames& names) {
  const std::vector<std::string> wanted = words_of(pattern);
  std::map<std::string, std::string> meant;  // by placeholder
  return std::ranges::equal(wanted, words, [&](const std::string& want, const std::string& word) {
    if (!want.starts_with('<')) return want == word;
    return stands_for(want, word, names) && meant.emplace(want, word).first->second == word;
  });
}

/// Without what says nothing of packets: counters and comments.
std::vector<std::string> telling_words(std::string_view rule, bool legacy) {
  std::string text(rule);
  if (legacy) {
    for (const std::string_view begin : {" -m comment --comment \"", " --comment \""}) {
      const std::size_t at = text.find(begin);
      const std::size_t end = at == std::string::npos ? at : text.find('"', at + begin.size());
      if (end != std::string::npos) text.erase(at, end + 1 - at);
    }
    std::vector<std::string> words = words_of(text);
    if (words.size() > 1 && words[0] == "-A") words.erase(words.begin(), words.begin() + 2);
    return words;
  }
  constexpr std::string_view comment = "xt match \"comment\" ";
  if (const std::size_t at = text.find(comment); at != std::string::npos) text.erase(at, comment.size());
  std::vector<std::string> words = words_of(text);
  std::erase(words, "counter");
  return words;
}

/// Calls `matches` for what is shared in that table, until it says yes.
template <class Matches>
bool any_shared(std::string_view table, const Matches& matches) {
  const std::size_t space = table.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view family = table.substr(0, space);
  const std::string_view name = table.substr(space + 1);
  const auto is_it = [&](const Shared& each) { return each.table == name && matches(each); };
  if (family == "legacy") return std::ranges::any_of(kLegacy, is_it);
  const bool of_inet = name == "cni_plugins_masquerade";
  if (family != "inet" && (of_inet || (family != "ip" && family != "ip6"))) return false;
  return of_inet == (family == "inet") && std::ranges::any_of(kNft, is_it);
}

bool is_chain(const Shared& shared, std::string_view chain, const KeptNames& names) {
  return shared.chain == "<admin>" ? names.admin_chains.contains(std::string(chain)) : shared.chain == chain;
}

}  // namespace

bool is_shared_chain(std::string_view table, std::string_view chain, const KeptNames& names) {
  return any_shared(table, [&](const Shared& each) { return is_chain(each, chain, names); });
}

bool is_shared_rule(const HostEntry& entry, const KeptNames& names) {
  const auto words = telling_words(entry.rule, entry.table.starts_with("legacy "));
  return any_shared(entry.table, [&](const Shared& each) {
    return !each.rule.empty() && is_chain(each, entry.chain, names) && is_as(each.rule, words, names);
  });
}

}  // namespace plumbline::network
