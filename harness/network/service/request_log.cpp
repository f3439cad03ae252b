#include "harness/network/service/request_log.hpp"

#include <utility>

namespace plumbline::network::detail {
namespace {

// Old entries go many at a time: taking away one per request would move the whole log for each.
constexpr std::size_t kDropped = 4096;

}  // namespace

std::uint64_t RequestLog::add(ServiceRequest request) {
  if (requests_.size() == kLimit) {
    requests_.erase(requests_.begin(), requests_.begin() + kDropped);
    dropped_ += kDropped;
  }
  if (request.text.size() > kTextLimit) request.text.resize(kTextLimit);
  requests_.push_back(std::move(request));
  return dropped_ + requests_.size() - 1;
}

void RequestLog::append_text(std::uint64_t entry, std::string_view text) {
  if (entry < dropped_ || entry - dropped_ >= requests_.size()) return;
  std::string& whole = requests_[entry - dropped_].text;
  whole += text.substr(0, kTextLimit - whole.size());
}

}  // namespace plumbline::network::detail
