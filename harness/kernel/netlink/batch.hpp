#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink {

/// Requests that go to the kernel together, in order: see Socket::execute.
class Batch {
 public:
  /// Says what a request was for ("adding address 192.168.99.1/24 to bridge0"), only asked after a failure.
  /// Capture no more than two pointers, and it costs no allocation.
  using Describe = std::function<std::string()>;
  /// Takes a request's answer, where there is one besides the acknowledgement.
  using Answer = std::function<void(const Received&)>;

  /// `context` is put before every failure: "node host".
  explicit Batch(std::string context) : context_(std::move(context)) {}

  void add(const Message& message, Describe describe, Answer answer = nullptr);
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  friend class Socket;
  struct Entry {
    std::size_t offset;  // into bytes_
    Describe describe;
    Answer answer;
    bool acknowledged = false;
  };
  std::size_t end_of(std::size_t index) const noexcept {
    return index + 1 < entries_.size() ? entries_[index + 1].offset : bytes_.size();
  }
  std::string context_;
  std::vector<std::uint8_t> bytes_;
  std::vector<Entry> entries_;
};

}  // namespace plumbline::kernel::netlink
