#include "harness/kernel/nftables/batch.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <algorithm>
#include <memory>
#include <new>

#include "harness/base/error.hpp"
#include "harness/kernel/nftables/expressions.hpp"

namespace plumbline::kernel::nft {
namespace {

// libnftnl writes without looking at the space left. The limits below bound a message to well under this.
constexpr std::size_t kScratch = 65536;
constexpr std::size_t kMostMatches = 32;  ///< at most 5 expressions each; the kernel takes 128 a rule
constexpr std::size_t kLongestName = NFT_NAME_MAXLEN - 1;
constexpr std::size_t kLongestComment = NFTNL_UDATA_COMMENT_MAXLEN;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
std::unique_ptr<T, Freed<Free>> own(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return std::unique_ptr<T, Freed<Free>>(object);
}

/// A name that nft can read back, and that is no surprise in its listing.
void check_name(const char* what, const std::string& name) {
  const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '{' || c == '}' || c == ';' || c == 0x7f;
  });
  if (!name.empty() && name.size() <= kLongestName && !odd) return;
  throw Error(fmt::format("a {} name of {} characters: 1 to {}, no space, quote, brace or semicolon", what,
                          name.size(), kLongestName),
              ErrorKind::usage);
}

void check_comment(const std::string& comment) {
  const bool odd = std::any_of(comment.begin(), comment.end(),
                               [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '"'; });
  if (comment.size() <= kLongestComment && !odd) return;
  throw Error(fmt::format("a comment of {} bytes: at most {}, no quote or control character", comment.size(),
                          kLongestComment),
              ErrorKind::usage);
}

std::uint16_t number_of(Family family) {
  switch (family) {
    case Family::ip:
      return NFPROTO_IPV4;
    case Family::ip6:
      return NFPROTO_IPV6;
    case Family::inet:
      return NFPROTO_INET;
    case Family::bridge:
      return NFPROTO_BRIDGE;
  }
  throw Error("unknown family");
}

// The same numbers in bridge tables: NF_BR_* of linux/netfilter_bridge.h.
std::uint32_t number_of(Hook hook) {
  switch (hook) {
    case Hook::prerouting:
      return NF_INET_PRE_ROUTING;
    case Hook::input:
      return NF_INET_LOCAL_IN;
    case Hook::forward:
      return NF_INET_FORWARD;
    case Hook::output:
      return NF_INET_LOCAL_OUT;
    case Hook::postrouting:
      return NF_INET_POST_ROUTING;
  }
  throw Error("unknown hook");
}

class Writer {
 public:
  explicit Writer(Batch& batch) : batch_(batch), scratch_(kScratch) {}

  void begin() { append(nftnl_batch_begin(scratch(), Batch::kBegin)); }
  void end() { append(nftnl_batch_end(scratch(), next_sequence())); }

  /// Writes the message for `object`; `last` asks the kernel for an answer.
  void write(const ObjectRef& object, bool last) {
    const auto answer = static_cast<std::uint16_t>(last ? NLM_F_ACK : 0);
    try {
      if (object.rule != nullptr) {
        append(rule(object, answer));
      } else if (object.chain != nullptr) {
        append(chain(object, answer));
      } else {
        append(table(object, answer));
      }
    } catch (const Error& error) {
      throw error.within(describe(object));
    }
    batch_.objects.push_back(object);
  }

 private:
  char* scratch() { return scratch_.data(); }
  std::uint32_t next_sequence() const {
    return Batch::kFirstObject + static_cast<std::uint32_t>(batch_.objects.size());
  }
  void append(const nlmsghdr* message) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(message);
    batch_.bytes.insert(batch_.bytes.end(), start, start + NLMSG_ALIGN(message->nlmsg_len));
  }
  nlmsghdr* header(const ObjectRef& object, std::uint16_t type, int flags) {
    return nftnl_nlmsg_build_hdr(scratch(), type, number_of(object.table->family),
                                 static_cast<std::uint16_t>(flags), next_sequence());
  }

  const nlmsghdr* table(const ObjectRef& object, std::uint16_t answer) {
    check_name("table", object.table->name);
    const auto made = own<nftnl_table, nftnl_table_free>(nftnl_table_alloc());
    nftnl_table_set_str(made.get(), NFTNL_TABLE_NAME, object.table->name.c_str());
    const bool owner = object.table->owner;
    if (owner) nftnl_table_set_u32(made.get(), NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    nlmsghdr* message = header(object, NFT_MSG_NEWTABLE, NLM_F_CREATE | (owner ? NLM_F_EXCL : 0) | answer);
    nftnl_table_nlmsg_build_payload(message, made.get());
    return message;
  }

  const nlmsghdr* chain(const ObjectRef& object, std::uint16_t answer) {
    check_name("chain", object.chain->name);
    const auto made = own<nftnl_chain, nftnl_chain_free>(nftnl_chain_alloc());
    nftnl_chain_set_str(made.get(), NFTNL_CHAIN_TABLE, object.table->name.c_str());
    nftnl_chain_set_str(made.get(), NFTNL_CHAIN_NAME, object.chain->name.c_str());
    if (const auto& base = object.chain->base) {
      const bool drop = base->policy == Policy::drop;
      nftnl_chain_set_str(made.get(), NFTNL_CHAIN_TYPE, to_string(base->type));
      nftnl_chain_set_u32(made.get(), NFTNL_CHAIN_HOOKNUM, number_of(base->hook));
      nftnl_chain_set_s32(made.get(), NFTNL_CHAIN_PRIO, base->priority);
      nftnl_chain_set_u32(made.get(), NFTNL_CHAIN_POLICY, drop ? NF_DROP : NF_ACCEPT);
    }
    nlmsghdr* message = header(object, NFT_MSG_NEWCHAIN, NLM_F_CREATE | answer);
    nftnl_chain_nlmsg_build_payload(message, made.get());
    return message;
  }

  const nlmsghdr* rule(const ObjectRef& object, std::uint16_t answer) {
    if (object.rule->matches.size() > kMostMatches) {
      throw Error(fmt::format("it has more than {} matches", kMostMatches), ErrorKind::usage);
    }
    if (const Jump* jump = std::get_if<Jump>(&object.rule->verdict)) check_name("chain", jump->chain);
    const auto made = own<nftnl_rule, nftnl_rule_free>(nftnl_rule_alloc());
    nftnl_rule_set_str(made.get(), NFTNL_RULE_TABLE, object.table->name.c_str());
    nftnl_rule_set_str(made.get(), NFTNL_RULE_CHAIN, object.chain->name.c_str());
    add_expressions(made.get(), object.table->family, *object.rule);
    set_comment(made.get(), object.rule->comment);
    nlmsghdr* message = header(object, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | answer);
    nftnl_rule_nlmsg_build_payload(message, made.get());
    return message;
  }

  static void set_comment(nftnl_rule* rule, const std::string& comment) {
    check_comment(comment);
    if (comment.empty()) return;
    const auto data = own<nftnl_udata_buf, nftnl_udata_buf_free>(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
    nftnl_udata_put_strz(data.get(), NFTNL_UDATA_RULE_COMMENT, comment.c_str());
    nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(data.get()),
                        nftnl_udata_buf_len(data.get()));
  }

  Batch& batch_;
  std::vector<char> scratch_;
};

std::vector<ObjectRef> in_order(const Ruleset& ruleset) {
  std::vector<ObjectRef> objects;
  for (const Table& table : ruleset.tables) objects.push_back({&table});
  for (const Table& table : ruleset.tables) {
    for (const Chain& chain : table.chains) objects.push_back({&table, &chain});
  }
  for (const Table& table : ruleset.tables) {
    for (const Chain& chain : table.chains) {
      std::size_t number = 0;
      for (const Rule& rule : chain.rules) objects.push_back({&table, &chain, &rule, ++number});
    }
  }
  return objects;
}

}  // namespace

Batch encode(const Ruleset& ruleset) {
  Batch batch;
  Writer writer(batch);
  const std::vector<ObjectRef> objects = in_order(ruleset);
  writer.begin();
  for (const ObjectRef& object : objects) writer.write(object, &object == &objects.back());
  writer.end();
  return batch;
}

}  // namespace plumbline::kernel::nft
