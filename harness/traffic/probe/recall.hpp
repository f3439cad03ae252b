#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace plumbline::traffic {

/// Ends a probe before its time-out, for whoever has learned that no answer can come any more.
class Recall : public std::enable_shared_from_this<Recall> {
 public:
  /// The probe ends as if its time-out had passed. An answer that lies in its socket already still counts.
  void now();
  /// That, after `grace`: an answer that is on its way may still arrive. The first call counts.
  void soon(const boost::asio::any_io_executor& executor, std::chrono::milliseconds grace);
  bool made() const noexcept { return made_; }

  /// For the probe: what to do then.
  void obey(std::function<void()> end) { end_ = std::move(end); }

 private:
  bool made_ = false;
  bool coming_ = false;
  std::function<void()> end_;
};

}  // namespace plumbline::traffic
