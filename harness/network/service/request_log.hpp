#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "harness/network/service/service.hpp"

namespace plumbline::network::detail {

/// What a server saw, bounded in number and in the length of each text.
class RequestLog {
 public:
  static constexpr std::size_t kLimit = 65'536;
  static constexpr std::size_t kTextLimit = 512;

  /// Returns the entry's number, which stays its own when older entries are dropped.
  std::uint64_t add(ServiceRequest request);
  /// Adds to the text of an entry that is still there, up to the limit.
  void append_text(std::uint64_t entry, std::string_view text);
  const std::vector<ServiceRequest>& all() const noexcept { return requests_; }

 private:
  std::vector<ServiceRequest> requests_;
  std::uint64_t dropped_ = 0;
};

}  // namespace plumbline::network::detail
