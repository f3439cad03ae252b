#include "harness/traffic/capture/pcapng.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::traffic {
namespace {

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
constexpr std::uint32_t kSection = 0x0A0D0D0A, kInterface = 1, kPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr std::uint16_t kEndOfOptions = 0, kComment = 1, kInterfaceName = 2, kTimeResolution = 9, kPacketFlags = 2;
constexpr std::size_t kLongestOption = 65535;

template <class Number>
void put(std::string& body, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  body.append(bytes, sizeof value);
}

void pad(std::string& body) { body.append((4 - body.size() % 4) % 4, '\0'); }

void option(std::string& body, std::uint16_t code, std::string_view value) {
  put(body, code);
  put(body, static_cast<std::uint16_t>(value.size()));
  body.append(value);
  pad(body);
}

/// Readers show comments on terminals: control characters from names and packets stay out.
std::string clean(std::string_view text) {
  std::string safe(text.substr(0, kLongestOption));
  for (char& letter : safe) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7F) letter = '?';
  }
  return safe;
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

std::uint32_t PcapngWriter::add_interface(std::string_view name, LinkType link_type, std::uint32_t snap_length) {
  std::string body;
  put(body, static_cast<std::uint16_t>(link_type));
  put(body, std::uint16_t{0});
  put(body, snap_length);
  option(body, kInterfaceName, clean(name));
  option(body, kTimeResolution, std::string_view("\x09", 1));  // 10^-9 s
  option(body, kEndOfOptions, {});
  block(kInterface, body);
  return interfaces_++;
}

void PcapngWriter::write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> bytes,
                         std::size_t original_length, Direction direction, std::string_view comment) {
  std::string body;
  put(body, interface);
  put(body, static_cast<std::uint32_t>(time_ns >> 32U));
  put(body, static_cast<std::uint32_t>(time_ns));
  put(body, static_cast<std::uint32_t>(bytes.size()));
  put(body, static_cast<std::uint32_t>(original_length));
  for (const std::uint8_t byte : bytes) body.push_back(static_cast<char>(byte));
  pad(body);
  if (!comment.empty()) option(body, kComment, clean(comment));
  if (direction == Direction::in || direction == Direction::out) {
    std::string flags;
    put(flags, std::uint32_t{direction == Direction::in ? 1U : 2U});
    option(body, kPacketFlags, flags);
  }
  option(body, kEndOfOptions, {});
  block(kPacket, body);
}

void PcapngWriter::block(std::uint32_t type, std::string_view body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  std::string whole;
  whole.reserve(length);
  put(whole, type);
  put(whole, length);
  whole.append(body);
  put(whole, length);
  if (std::fwrite(whole.data(), 1, whole.size(), file_) != whole.size()) failed_ = true;
}

void PcapngWriter::close() {
  if (file_ == nullptr) return;
  errno = 0;
  const bool flushed = std::fflush(file_) == 0;
  const int error = errno;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (failed_ || !flushed || !closed) {
    throw Error::from_errno(error != 0 ? error : EIO, fmt::format("writing the trace {}", path_));
  }
}

}  // namespace plumbline::traffic
