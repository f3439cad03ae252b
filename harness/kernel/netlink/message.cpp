#include "harness/kernel/netlink/message.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "harness/base/error.hpp"

namespace plumbline::kernel::netlink {
namespace {

nlmsghdr* header_of(std::array<std::uint8_t, Message::kCapacity>& buffer) {
  return reinterpret_cast<nlmsghdr*>(buffer.data());
}

[[noreturn]] void overflow() {
  throw Error("a netlink request outgrew its buffer of 1024 bytes");
}

}  // namespace

Message::Message(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr* header = mnl_nlmsg_put_header(buffer_.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
}

void* Message::extend(std::size_t size) {
  nlmsghdr* header = header_of(buffer_);
  if (header->nlmsg_len + size + 3 > kCapacity) overflow();
  return mnl_nlmsg_put_extra_header(header, size);
}

void Message::put(std::uint16_t type, std::span<const std::uint8_t> bytes) {
  if (!mnl_attr_put_check(header_of(buffer_), kCapacity, type, bytes.size(), bytes.data())) overflow();
}

void Message::put_u8(std::uint16_t type, std::uint8_t value) {
  if (!mnl_attr_put_u8_check(header_of(buffer_), kCapacity, type, value)) overflow();
}

void Message::put_u32(std::uint16_t type, std::uint32_t value) {
  if (!mnl_attr_put_u32_check(header_of(buffer_), kCapacity, type, value)) overflow();
}

void Message::put_text(std::uint16_t type, std::string_view text) {
  std::array<std::uint8_t, kCapacity> copy{};
  if (text.size() + 1 > copy.size()) overflow();
  std::memcpy(copy.data(), text.data(), text.size());
  put(type, std::span(copy).first(text.size() + 1));
}

Message::Nest Message::nest(std::uint16_t type) {
  nlmsghdr* header = header_of(buffer_);
  const std::size_t offset = header->nlmsg_len;
  if (mnl_attr_nest_start_check(header, kCapacity, type) == nullptr) overflow();
  return Nest(*this, offset);
}

Message::Nest::~Nest() {
  mnl_attr_nest_end(header_of(message_.buffer_),
                    reinterpret_cast<nlattr*>(message_.buffer_.data() + offset_));
}

std::span<const std::uint8_t> Message::bytes() const noexcept {
  std::uint32_t length = 0;
  std::memcpy(&length, buffer_.data(), sizeof length);
  return std::span(buffer_).first(length);
}

std::optional<Received> take_message(std::span<const std::uint8_t>& rest) noexcept {
  nlmsghdr header{};
  if (rest.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, rest.data(), sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) return std::nullopt;
  const Received message{header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
                         rest.subspan(sizeof header, header.nlmsg_len - sizeof header)};
  const std::size_t aligned = (std::size_t{header.nlmsg_len} + 3U) & ~std::size_t{3};
  rest = aligned < rest.size() ? rest.subspan(aligned) : std::span<const std::uint8_t>{};
  return message;
}

}  // namespace plumbline::kernel::netlink
