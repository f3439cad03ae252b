#pragma once

#include <algorithm>
#include <chrono>

namespace plumbline {

/// A moment on the steady clock after which waiting ends.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  static Deadline after(std::chrono::milliseconds span) { return Deadline(Clock::now() + span); }

  Clock::time_point at() const noexcept { return at_; }
  bool passed() const noexcept { return Clock::now() >= at_; }
  /// Milliseconds left, rounded up, never below zero: what poll(2) takes.
  int remaining_ms() const noexcept {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000));
  }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

}  // namespace plumbline
