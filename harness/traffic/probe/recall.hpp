#pragma once

#include <functional>
#include <utility>

namespace plumbline::traffic {

/// Ends a probe before its time-out, for whoever has learned that no answer can come any more.
class Recall {
 public:
  /// The probe ends as if its time-out had passed. An answer that lies in its socket already still counts.
  void now() {
    if (std::exchange(made_, true)) return;
    if (end_) end_();
  }
  bool made() const noexcept { return made_; }

  /// For the probe: what to do then.
  void obey(std::function<void()> end) { end_ = std::move(end); }

 private:
  bool made_ = false;
  std::function<void()> end_;
};

}  // namespace plumbline::traffic
