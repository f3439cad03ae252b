#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/traffic/packet/packet.hpp"

namespace plumbline::traffic {

/// Writes pcapng (draft-ietf-opsawg-pcapng): one section, an interface block per interface with if_name and
/// nanosecond timestamps, enhanced packets with direction flags and a comment. Texts become valid UTF-8
/// without control characters, of at most 65,535 bytes: whatever else is in them is written as "?".
class PcapngWriter {
 public:
  /// Creates or truncates `path`. Throws Error.
  explicit PcapngWriter(const std::string& path, std::string_view comment = {});
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;
  ~PcapngWriter();

  /// Returns the interface's number. `name` is `node:interface`. Throws Error after close().
  std::uint32_t add_interface(std::string_view name, LinkType link_type, std::uint32_t snap_length,
                              std::string_view description = {});
  /// `original_length` is the frame's before it was cut to `bytes`. Throws Error for an interface that was
  /// not added, and after close(). What cannot be written is told by close().
  void write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> bytes,
             std::size_t original_length, Direction direction, std::string_view comment = {});
  /// Flushes and closes; throws Error when anything could not be written (a full disk). Again: does nothing.
  void close();

 private:
  void block(std::uint32_t type, std::string_view body);
  void note_error() noexcept;
  std::string path_;
  std::FILE* file_ = nullptr;
  std::uint32_t interfaces_ = 0;
  int error_ = 0;  ///< errno of the first write that failed
};

}  // namespace plumbline::traffic
