#include "harness/kernel/nftables/listing.hpp"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter_bridge/ebt_log.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/message.hpp"
#include "harness/kernel/nftables/connection.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::kernel::nft {
namespace {

constexpr std::size_t kBuffer = 65536;  ///< the kernel fills dump datagrams up to 32 KiB
constexpr int kAttempts = 8;

std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

struct FreeChain {
  void operator()(nftnl_chain* chain) const noexcept { nftnl_chain_free(chain); }
};
struct FreeRule {
  void operator()(nftnl_rule* rule) const noexcept { nftnl_rule_free(rule); }
};

netlink::Message dump_of(int what, std::uint8_t family) {
  return {type_of(what), NLM_F_DUMP, nfgenmsg{family, NFNETLINK_V0, 0}};
}

/// One pass of a dump. False: the ruleset changed meanwhile.
template <class Visit>
bool dump_once(int fd, const netlink::Message& request, const char* attempted, const Visit& visit) {
  const auto bytes = request.bytes();
  if (::send(fd, bytes.data(), bytes.size(), 0) < 0) throw Error::from_errno(errno, attempted);
  struct alignas(nlmsghdr) Buffer {
    std::uint8_t bytes[kBuffer];
  };
  const auto buffer = std::make_unique<Buffer>();
  bool consistent = true;
  while (true) {
    const ssize_t got = ::recv(fd, buffer->bytes, kBuffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::from_errno(errno, attempted);
    auto left = static_cast<int>(got);
    // NOLINTNEXTLINE(*-reinterpret-cast): libmnl's interface
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer->bytes); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
      if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) consistent = false;
      if (message->nlmsg_type == NLMSG_DONE) return consistent;
      if (message->nlmsg_type == NLMSG_ERROR) {
        nlmsgerr fixed{};
        if (mnl_nlmsg_get_payload_len(message) >= sizeof fixed)
          std::memcpy(&fixed, mnl_nlmsg_get_payload(message), sizeof fixed);
        const Error error = Error::from_errno(-fixed.error, attempted);
        throw fixed.error == -EPERM ? error.with_kind(ErrorKind::environment) : error;
      }
      visit(message);
    }
  }
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> kFamilies{{{NFPROTO_INET, "inet"},
                                                                              {NFPROTO_IPV4, "ip"},
                                                                              {NFPROTO_IPV6, "ip6"},
                                                                              {NFPROTO_BRIDGE, "bridge"},
                                                                              {NFPROTO_NETDEV, "netdev"}}};

std::string family_text(std::uint32_t number) {
  const auto* const found = std::ranges::find_if(kFamilies, [&](const auto& f) { return f.first == number; });
  return found == kFamilies.end() ? std::string() : std::string(found->second);
}

std::optional<std::uint8_t> family_number(std::string_view text) {
  const auto* const found = std::ranges::find_if(kFamilies, [&](const auto& f) { return f.second == text; });
  return found == kFamilies.end() ? std::nullopt : std::optional(found->first);
}

bool is_of_ip(const std::string& family) {
  return family != "bridge" && family != "netdev";
}

std::optional<Hook> hook_of(std::uint32_t number) {
  switch (number) {
    case NF_INET_PRE_ROUTING:
      return Hook::prerouting;
    case NF_INET_LOCAL_IN:
      return Hook::input;
    case NF_INET_FORWARD:
      return Hook::forward;
    case NF_INET_LOCAL_OUT:
      return Hook::output;
    case NF_INET_POST_ROUTING:
      return Hook::postrouting;
    default:
      return std::nullopt;
  }
}

/// Absent: the chain is no base chain.
std::optional<std::string> table_of_base_chain(const nlmsghdr* message) {
  const std::unique_ptr<nftnl_chain, FreeChain> chain(nftnl_chain_alloc());
  if (!chain) throw std::bad_alloc();
  if (nftnl_chain_nlmsg_parse(message, chain.get()) < 0) return std::nullopt;
  if (!nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_HOOKNUM)) return std::nullopt;
  return text_or_empty(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE));
}

void add_chain(Listing& listing, const nlmsghdr* message) {
  const std::unique_ptr<nftnl_chain, FreeChain> chain(nftnl_chain_alloc());
  if (!chain) throw std::bad_alloc();
  if (nftnl_chain_nlmsg_parse(message, chain.get()) < 0) return;
  if (!nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_HOOKNUM)) return;
  const std::string family = family_text(nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_FAMILY));
  if (family.empty()) return;
  const Listing::ChainKey key{family, text_or_empty(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE)),
                              text_or_empty(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME))};
  // A bridge's and a device's hooks have numbers of their own.
  const auto hook = hook_of(nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_HOOKNUM));
  if (is_of_ip(family) && hook) {
    listing.chains[key] = {*hook, nftnl_chain_get_s32(chain.get(), NFTNL_CHAIN_PRIO)};
  } else {
    listing.elsewhere.insert(key);
  }
}

/// The prefix in a target's struct. Absent: there is not as much.
template <class Info>
std::optional<std::string> prefix_in(const nftnl_expr* target) {
  std::uint32_t length = 0;
  const void* bytes = nftnl_expr_get(target, NFTNL_EXPR_TG_INFO, &length);
  Info info{};
  if (bytes == nullptr || length < sizeof info) return std::nullopt;
  std::memcpy(&info, bytes, sizeof info);
  const auto* prefix = reinterpret_cast<const char*>(info.prefix);  // NOLINT(*-reinterpret-cast): ebtables'
  return std::string(prefix, ::strnlen(prefix, sizeof info.prefix));
}

class RuleReader {
 public:
  explicit RuleReader(ListedRule& rule) : rule_(rule) {}

  void read(const nftnl_expr* expression) {
    const std::string name = text_or_empty(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME));
    if (name == "reject") rule_.rejects = true;
    if (name == "log") {
      add_log(text_or_empty(nftnl_expr_get_str(expression, NFTNL_EXPR_LOG_PREFIX)));
    } else if (name == "target") {
      read_target(expression);
    } else if (!rule_.logs.empty() && !never_breaks(name)) {
      rule_.may_break_after_log = true;
    }
    if (name == "meta") read_meta(expression);
    marks_ = name == "immediate" && is_not_zero(expression);
  }

 private:
  /// Verdicts, and what only counts.
  static bool never_breaks(const std::string& name) {
    constexpr std::array<std::string_view, 3> steady{"counter", "immediate", "reject"};
    return std::ranges::find(steady, name) != steady.end();
  }

  void add_log(const std::string& prefix) {
    rule_.log_prefix = prefix;
    rule_.logs.push_back(prefix);
  }

  /// iptables-nft and ebtables-nft keep a target as their forerunners do: a name, and its struct.
  void read_target(const nftnl_expr* target) {
    const std::string name = text_or_empty(nftnl_expr_get_str(target, NFTNL_EXPR_TG_NAME));
    if (name == "REJECT") rule_.rejects = true;
    std::optional<std::string> prefix;
    if (name == "LOG") prefix = prefix_in<xt_log_info>(target);
    if (name == "NFLOG" || name == "nflog") prefix = prefix_in<xt_nflog_info>(target);
    if (name == "log") prefix = prefix_in<ebt_log_info>(target);
    if (prefix) {
      add_log(*prefix);
    } else if (!rule_.logs.empty()) {
      rule_.may_break_after_log = true;
    }
  }

  /// `meta nftrace set`: of what else than a constant 1 nothing is known.
  void read_meta(const nftnl_expr* meta) {
    const bool sets = nftnl_expr_is_set(meta, NFTNL_EXPR_META_SREG);
    if (sets && nftnl_expr_get_u32(meta, NFTNL_EXPR_META_KEY) == NFT_META_NFTRACE && !marks_)
      rule_.unmarks = true;
  }

  static bool is_not_zero(const nftnl_expr* immediate) {
    std::uint32_t length = 0;
    const void* data = nftnl_expr_get(immediate, NFTNL_EXPR_IMM_DATA, &length);
    std::vector<std::uint8_t> bytes(data == nullptr ? 0 : length);
    if (!bytes.empty()) std::memcpy(bytes.data(), data, bytes.size());
    return std::ranges::any_of(bytes, [](std::uint8_t byte) { return byte != 0; });
  }

  ListedRule& rule_;
  bool marks_ = false;  ///< the expression before put something else than 0 into a register
};

int read_expression(nftnl_expr* expression, void* into) {
  static_cast<RuleReader*>(into)->read(expression);
  return 0;
}

void add_rule(Listing& listing, const nlmsghdr* message) {
  const std::unique_ptr<nftnl_rule, FreeRule> rule(nftnl_rule_alloc());
  if (!rule) throw std::bad_alloc();
  if (nftnl_rule_nlmsg_parse(message, rule.get()) < 0) return;
  const std::string family = family_text(nftnl_rule_get_u32(rule.get(), NFTNL_RULE_FAMILY));
  if (family.empty()) return;
  ListedRule& listed = listing.rules[{family, text_or_empty(nftnl_rule_get_str(rule.get(), NFTNL_RULE_TABLE)),
                                      text_or_empty(nftnl_rule_get_str(rule.get(), NFTNL_RULE_CHAIN)),
                                      nftnl_rule_get_u64(rule.get(), NFTNL_RULE_HANDLE)}];
  RuleReader reader(listed);
  nftnl_expr_foreach(rule.get(), &read_expression, &reader);
  // Which of IP's hooks a packet is at when a bridge's or device's rule logs it is not known.
  if (!is_of_ip(family)) listed.log_prefix.reset();
}

bool read_base_chains(int fd, Listing& listing) {
  return dump_once(fd, dump_of(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC), "listing the nftables chains",
                   [&](const nlmsghdr* message) { add_chain(listing, message); });
}

bool read_rules(int fd, const Listing::ChainKey& chain, Listing& listing) {
  const auto& [family, table, name] = chain;
  const std::optional<std::uint8_t> number = family.empty() ? NFPROTO_UNSPEC : family_number(family);
  if (!number) return true;
  netlink::Message request = dump_of(NFT_MSG_GETRULE, *number);
  if (!table.empty()) {
    request.put_text(NFTA_RULE_TABLE, table);
    request.put_text(NFTA_RULE_CHAIN, name);
  }
  return dump_once(fd, request, "listing the nftables rules",
                   [&](const nlmsghdr* message) { add_rule(listing, message); });
}

}  // namespace

const ListedRule* Listing::rule(const std::string& family, const std::string& table, const std::string& chain,
                                std::uint64_t handle) const {
  const auto found = rules.find({family, table, chain, handle});
  return found == rules.end() ? nullptr : &found->second;
}

const ListedChain* Listing::chain(const std::string& family, const std::string& table,
                                  const std::string& name) const {
  const auto found = chains.find({family, table, name});
  return found == chains.end() ? nullptr : &found->second;
}

Lister::Lister(const Netns& netns) : netns_(netns), connection_(netns) {}

void Lister::complete(Listing& listing, const std::set<Listing::ChainKey>& chains) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::uint32_t before = generation(connection_);
    // Until all is read it is not known to be of one generation.
    const bool unchanged = std::exchange(generation_, std::nullopt) == before;
    if (!unchanged) {
      listing = {};
      read_.clear();
      whole_.reset();
    }
    if (!read_missing(listing, chains, !unchanged) || generation(connection_) != before) continue;
    generation_ = before;
    return;
  }
  throw Error("listing the nftables ruleset: it kept changing while it was read");
}

bool Lister::read_missing(Listing& listing, const std::set<Listing::ChainKey>& chains, bool base_chains) {
  std::vector<Listing::ChainKey> missing;
  std::ranges::copy_if(chains, std::back_inserter(missing), [&](const auto& key) { return !is_read(key); });
  if (missing.empty() && !base_chains) return true;
  const Connection dumps(netns_);  // a dump broken off leaves messages behind
  if (base_chains && !read_base_chains(dumps.fd(), listing)) return false;
  for (const Listing::ChainKey& chain : missing) {
    if (!read_rules(dumps.fd(), chain, listing)) return false;
    read_.insert(chain);
    read_texts(listing, chain);
  }
  return true;
}

bool Lister::is_read(const Listing::ChainKey& chain) const {
  return read_.contains(chain) || read_.contains({std::get<0>(chain), "", ""}) ||
         read_.contains({"", "", ""});
}

void Lister::read_texts(Listing& listing, const Listing::ChainKey& chain) {
  const auto& [family, table, name] = chain;
  const auto listed = table.empty() ? std::optional(list_text(netns_, ListCounters::no, family))
                                    : list_chain_text(netns_, family, table, name, ListCounters::no);
  if (listed) {
    for (auto& [key, text] : parse_rules(*listed)) listing.rules[key].text = std::move(text);
    return;
  }
  if (!whole_) whole_ = parse_rules(list_text(netns_, ListCounters::no));
  for (auto at = whole_->lower_bound({family, table, name, 0}); at != whole_->end(); ++at) {
    const auto& [of_family, of_table, of_name, handle] = at->first;
    if (std::tie(of_family, of_table, of_name) != std::tie(family, table, name)) break;
    listing.rules[at->first].text = at->second;
  }
}

Listing list(const Netns& netns) {
  Listing listing;
  Lister(netns).complete(listing, {{"", "", ""}});
  return listing;
}

std::set<std::string> tables_at_bridges(const Connection& connection) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::set<std::string> tables;
    const bool consistent = dump_once(connection.fd(), dump_of(NFT_MSG_GETCHAIN, NFPROTO_BRIDGE),
                                      "listing the bridges' nftables chains", [&](const nlmsghdr* message) {
                                        if (auto table = table_of_base_chain(message))
                                          tables.insert(std::move(*table));
                                      });
    if (consistent) return tables;
  }
  throw Error("listing the bridges' nftables chains: they kept changing while they were read");
}

std::uint32_t generation(const Netns& netns) {
  return generation(Connection(netns));
}

std::uint32_t generation(const Connection& connection) {
  const netlink::Message request(type_of(NFT_MSG_GETGEN), 0, nfgenmsg{NFPROTO_UNSPEC, NFNETLINK_V0, 0});
  const auto bytes = request.bytes();
  std::vector<std::uint8_t> buffer(4096);
  if (::send(connection.fd(), bytes.data(), bytes.size(), 0) < 0) {
    throw Error::from_errno(errno, "asking for the ruleset's generation");
  }
  const ssize_t got = ::recv(connection.fd(), buffer.data(), buffer.size(), 0);
  if (got < 0) throw Error::from_errno(errno, "asking for the ruleset's generation");
  std::span<const std::uint8_t> rest(buffer.data(), static_cast<std::size_t>(got));
  while (const auto message = netlink::take_message(rest)) {
    if (message->type != type_of(NFT_MSG_NEWGEN)) continue;
    const auto parts = netlink::split<nfgenmsg>(message->payload);
    if (const auto id = parts ? parts->second.u32(NFTA_GEN_ID) : std::nullopt) return *id;
  }
  throw Error("the kernel did not tell the ruleset's generation");
}

}  // namespace plumbline::kernel::nft
