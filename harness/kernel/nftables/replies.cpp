#include "harness/kernel/nftables/replies.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <type_traits>

namespace plumbline::kernel::nft {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr int kHighestErrno = 4095;  ///< MAX_ERRNO, include/linux/err.h

/// The header at the start, copied because it may lie anywhere; absent when there are too few bytes.
template <class Header>
std::optional<Header> peek(Bytes bytes) {
  static_assert(std::is_trivially_copyable_v<Header>);
  if (bytes.size() < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

/// `bytes` without the first `length`, padded to four as netlink does; empty when that is all.
Bytes after(Bytes bytes, std::size_t length) {
  return bytes.subspan(std::min(bytes.size(), (length + 3) & ~std::size_t{3}));
}

void read_attributes(Bytes bytes, Reply& reply) {
  for (auto head = peek<nlattr>(bytes); head; head = peek<nlattr>(bytes)) {
    if (head->nla_len < sizeof *head || head->nla_len > bytes.size()) return;
    const Bytes value = bytes.subspan(sizeof *head, head->nla_len - sizeof *head);
    if (head->nla_type == NLMSGERR_ATTR_MSG) {
      const auto end = std::find(value.begin(), value.end(), std::uint8_t{0});
      reply.text.assign(value.begin(), end);
    } else if (head->nla_type == NLMSGERR_ATTR_OFFS) {
      reply.offset = peek<std::uint32_t>(value);
    }
    bytes = after(bytes, head->nla_len);
  }
}

std::optional<Reply> read_reply(const nlmsghdr& header, Bytes payload) {
  const auto body = peek<nlmsgerr>(payload);
  if (!body) return std::nullopt;
  Reply reply;
  reply.sequence = header.nlmsg_seq;
  reply.error = body->error <= 0 && body->error >= -kHighestErrno ? -body->error : EPROTO;
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return reply;
  // Unless capped, the refused message is repeated before the attributes.
  const bool capped = (header.nlmsg_flags & NLM_F_CAPPED) != 0;
  const std::size_t repeated = capped ? sizeof(nlmsghdr) : std::size_t{body->msg.nlmsg_len};
  read_attributes(after(payload, sizeof(body->error) + repeated), reply);
  return reply;
}

}  // namespace

std::vector<Reply> parse_replies(Bytes bytes) {
  std::vector<Reply> replies;
  for (auto header = peek<nlmsghdr>(bytes); header; header = peek<nlmsghdr>(bytes)) {
    if (header->nlmsg_len < sizeof *header || header->nlmsg_len > bytes.size()) break;
    const Bytes payload = bytes.subspan(sizeof *header, header->nlmsg_len - sizeof *header);
    if (header->nlmsg_type == NLMSG_ERROR) {
      if (auto reply = read_reply(*header, payload)) replies.push_back(std::move(*reply));
    }
    bytes = after(bytes, header->nlmsg_len);
  }
  return replies;
}

}  // namespace plumbline::kernel::nft
