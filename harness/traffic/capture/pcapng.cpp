#include "harness/traffic/capture/pcapng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::traffic {
namespace {

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
constexpr std::uint32_t kSection = 0x0A0D0D0A, kInterface = 1, kPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr std::uint16_t kEndOfOptions = 0, kComment = 1, kInterfaceName = 2, kInterfaceDescription = 3,
                        kTimeResolution = 9, kPacketFlags = 2;
constexpr std::size_t kLongestOption = 65535;

template <class Number>
void put(std::string& body, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  body.append(bytes, sizeof value);
}

void pad(std::string& body) {
  body.append((4 - body.size() % 4) % 4, '\0');
}

void option(std::string& body, std::uint16_t code, std::string_view value) {
  put(body, code);
  put(body, static_cast<std::uint16_t>(value.size()));
  body.append(value);
  pad(body);
}

/// Bytes of the character that `text` begins with; 0 where it is no well-formed UTF-8 (RFC 3629, section 4).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {  // neither longer than needed, nor a surrogate
    const bool good =
        within(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && within(2, 0x80, 0xBF);
    return good ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {  // nor above U+10FFFF
    const bool good = within(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) &&
                      within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF);
    return good ? 4 : 0;
  }
  return 0;
}

/// U+0000..1F, U+7F and U+80..9F.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

/// Readers show comments on terminals: control characters from names and packets stay out.
std::string clean(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(character.size());
    if (length == 0 || is_control(character)) character = "?";
    if (safe.size() + character.size() > kLongestOption) break;
    safe.append(character);
  }
  return safe;
}

/// epb_flags: bits 0 and 1 are the direction, 2 to 4 how it came to be received.
std::uint32_t flags_of(Direction direction) {
  constexpr std::uint32_t inbound = 1, outbound = 2, promiscuous = 4U << 2U;
  switch (direction) {
    case Direction::in:
      return inbound;
    case Direction::out:
      return outbound;
    case Direction::other_host:
      return inbound | promiscuous;
    case Direction::unknown:
      break;
  }
  return 0;
}

}  // namespace

PcapngWriter::PcapngWriter(const std::string& path, std::string_view comment)
    : path_(path), file_(std::fopen(path.c_str(), "wbe")) {
  if (file_ == nullptr) throw Error::from_errno(errno, fmt::format("creating the trace {}", path));
  std::string body;
  put(body, kByteOrderMagic);
  put(body, std::uint16_t{1});
  put(body, std::uint16_t{0});
  put(body, std::int64_t{-1});  // section length unknown
  if (!comment.empty()) {
    option(body, kComment, clean(comment));
    option(body, kEndOfOptions, {});
  }
  block(kSection, body);
}

PcapngWriter::~PcapngWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

std::uint32_t PcapngWriter::add_interface(std::string_view name, LinkType link_type,
                                          std::uint32_t snap_length, std::string_view description) {
  std::string body;
  put(body, static_cast<std::uint16_t>(link_type));
  put(body, std::uint16_t{0});
  put(body, snap_length);
  option(body, kInterfaceName, clean(name));
  if (!description.empty()) option(body, kInterfaceDescription, clean(description));
  option(body, kTimeResolution, std::string_view("\x09", 1));  // 10^-9 s
  option(body, kEndOfOptions, {});
  block(kInterface, body);
  return interfaces_++;
}

void PcapngWriter::write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> bytes,
                         std::size_t original_length, Direction direction, std::string_view comment) {
  if (interface >= interfaces_)
    throw Error(fmt::format("writing the trace {}: no interface {}", path_, interface));
  std::string body;
  put(body, interface);
  put(body, static_cast<std::uint32_t>(time_ns >> 32U));
  put(body, static_cast<std::uint32_t>(time_ns));
  put(body, static_cast<std::uint32_t>(bytes.size()));
  put(body, static_cast<std::uint32_t>(original_length));
  body.append(bytes.begin(), bytes.end());
  pad(body);
  if (!comment.empty()) option(body, kComment, clean(comment));
  if (const std::uint32_t direction_flags = flags_of(direction); direction_flags != 0) {
    std::string flags;
    put(flags, direction_flags);
    option(body, kPacketFlags, flags);
  }
  option(body, kEndOfOptions, {});
  block(kPacket, body);
}

void PcapngWriter::block(std::uint32_t type, std::string_view body) {
  if (file_ == nullptr) throw Error(fmt::format("writing the trace {}: it is closed", path_));
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  std::string whole;
  whole.reserve(length);
  put(whole, type);
  put(whole, length);
  whole.append(body);
  put(whole, length);
  errno = 0;
  if (std::fwrite(whole.data(), 1, whole.size(), file_) != whole.size()) note_error();
}

void PcapngWriter::note_error() noexcept {
  if (error_ == 0) error_ = errno != 0 ? errno : EIO;
}

void PcapngWriter::close() {
  if (file_ == nullptr) return;
  errno = 0;
  if (std::fflush(file_) != 0) note_error();
  errno = 0;
  if (std::fclose(std::exchange(file_, nullptr)) != 0) note_error();
  if (error_ != 0) throw Error::from_errno(error_, fmt::format("writing the trace {}", path_));
}

}  // namespace plumbline::traffic
