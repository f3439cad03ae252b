#include "harness/kernel/nftables/replies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <cerrno>
#include <cstring>

namespace plumbline::kernel::nft {
namespace {

using Buffer = std::vector<std::uint8_t>;

template <class T>
void append(Buffer& buffer, const T& value) {
  const std::size_t at = buffer.size();
  buffer.resize(at + sizeof value);
  std::memcpy(buffer.data() + at, &value, sizeof value);
}

void append_attribute(Buffer& buffer, std::uint16_t type, const Buffer& value) {
  append(buffer, nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type});
  buffer.insert(buffer.end(), value.begin(), value.end());
  buffer.resize((buffer.size() + 3) / 4 * 4);
}

/// An answer as the kernel writes it (netlink_ack, net/netlink/af_netlink.c).
Buffer answer(std::uint32_t sequence, int error, const std::string& text = {}, const Buffer& repeated = {}) {
  Buffer body;
  const auto whole = static_cast<std::uint32_t>(sizeof(nlmsghdr) + repeated.size());
  append(body, nlmsgerr{error, nlmsghdr{whole, 0, 0, sequence, 0}});
  body.insert(body.end(), repeated.begin(), repeated.end());
  std::uint16_t flags = repeated.empty() ? NLM_F_CAPPED : 0;
  if (!text.empty()) {
    flags |= NLM_F_ACK_TLVS;
    Buffer words(text.begin(), text.end());
    words.push_back(0);
    append_attribute(body, NLMSGERR_ATTR_MSG, words);
    append_attribute(body, NLMSGERR_ATTR_OFFS, {44, 0, 0, 0});
  }
  Buffer message;
  append(message, nlmsghdr{static_cast<std::uint32_t>(sizeof(nlmsghdr) + body.size()), NLMSG_ERROR, flags,
                           sequence, 7});
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

Buffer operator+(Buffer left, const Buffer& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(NftReplies, ReadsAcknowledgementsAndRefusals) {
  const auto replies = parse_replies(answer(2, 0) + answer(3, -ENOENT, "no such chain") + answer(4, -EPERM));
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[0].sequence, 2U);
  EXPECT_EQ(replies[0].error, 0);
  EXPECT_EQ(replies[1].sequence, 3U);
  EXPECT_EQ(replies[1].error, ENOENT);
  EXPECT_EQ(replies[1].text, "no such chain");
  EXPECT_EQ(replies[1].offset, 44U);
  EXPECT_EQ(replies[2].error, EPERM);
  EXPECT_EQ(replies[2].text, "");
}

TEST(NftReplies, SkipsTheRepeatedMessage) {
  const auto replies = parse_replies(answer(9, -EINVAL, "why", Buffer(22, 0xff)));
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].text, "");  // the kernel pads what it repeats; 22 bytes put the attributes out of step

  const auto padded = parse_replies(answer(9, -EINVAL, "why", Buffer(24, 0xff)));
  ASSERT_EQ(padded.size(), 1U);
  EXPECT_EQ(padded[0].text, "why");
}

TEST(NftReplies, PassesOverOtherMessages) {
  Buffer other;
  append(other, nlmsghdr{sizeof(nlmsghdr), NLMSG_NOOP, 0, 1, 0});
  const auto replies = parse_replies(other + answer(2, 0));
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].sequence, 2U);
}

TEST(NftReplies, ImpossibleErrorIsAnError) {
  EXPECT_EQ(parse_replies(answer(2, 17)).at(0).error, EPROTO);
  EXPECT_EQ(parse_replies(answer(2, INT32_MIN)).at(0).error, EPROTO);
}

TEST(NftReplies, TruncatedAnywhereGivesOnlyWholeAnswers) {
  const Buffer first = answer(2, -ENOENT, "first");
  const Buffer all = first + answer(3, -ENOENT, "second");
  for (std::size_t length = 0; length < all.size(); ++length) {
    // A heap copy of just that length: a sanitizer sees any byte read beyond it.
    const auto replies =
        parse_replies(Buffer(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length)));
    EXPECT_EQ(replies.size(), length < first.size() ? 0U : 1U) << length;
  }
}

TEST(NftReplies, LengthsThatLie) {
  for (std::size_t at = 0; at < 4; ++at) {
    for (const std::uint8_t value : Buffer{0, 1, 15, 17, 255}) {
      Buffer message = answer(2, -ENOENT, "text");
      message[at] = value;  // nlmsg_len
      parse_replies(message);
      message = answer(2, -ENOENT, "text");
      message[20 + at] = value;  // the repeated message's length
      parse_replies(message);
      message = answer(2, -ENOENT, "text");
      message[36 + at] = value;  // the first attribute's length and type
      EXPECT_LE(parse_replies(message).size(), 1U);
    }
  }
}

}  // namespace
}  // namespace plumbline::kernel::nft
