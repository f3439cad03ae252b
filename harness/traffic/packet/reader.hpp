#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plumbline::traffic {

/// A bounded view into a frame that knows where in the frame it is. Reading past the end gives 0: callers ask
/// `has` first, and a slip is a wrong value, never a wrong access.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> frame) noexcept : frame_(frame), claimed_end_(frame.size()) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t left() const noexcept { return frame_.size() - position_; }
  bool has(std::size_t bytes) const noexcept { return left() >= bytes; }

  std::uint8_t u8(std::size_t offset) const noexcept {
    return offset < left() ? frame_[position_ + offset] : std::uint8_t{0};
  }
  std::uint16_t u16(std::size_t offset) const noexcept {
    return static_cast<std::uint16_t>(u8(offset) << 8U | u8(offset + 1));
  }
  std::uint32_t u32(std::size_t offset) const noexcept {
    return static_cast<std::uint32_t>(u16(offset)) << 16U | u16(offset + 2);
  }
  /// `count` bytes from `offset`, as many of them as there are.
  std::span<const std::uint8_t> bytes(std::size_t offset, std::size_t count) const noexcept {
    if (offset >= left()) return {};
    return frame_.subspan(position_ + offset, count < left() - offset ? count : left() - offset);
  }
  void skip(std::size_t bytes) noexcept { position_ += bytes < left() ? bytes : left(); }
  /// A header says that `bytes` follow: drops what lies behind them (padding, trailers), and remembers the
  /// claim.
  void limit(std::size_t bytes) noexcept {
    claimed_end_ = position_ + bytes;
    if (bytes < left()) frame_ = frame_.first(position_ + bytes);
  }

  /// What is left by the headers' word; more than `left` when the capture is cut short.
  std::size_t claimed() const noexcept { return claimed_end_ > position_ ? claimed_end_ - position_ : 0; }

 private:
  std::span<const std::uint8_t> frame_;
  std::size_t position_ = 0;
  std::size_t claimed_end_;
};

}  // namespace plumbline::traffic
