#pragma once

#include <chrono>
#include <iosfwd>

#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

/// "412/3748  2 not passed  00:17  docker-default (docker), ufw-docker (docker) and 6 more": one line of a
/// terminal, drawn anew while a run lasts. Nothing at all where the options want no progress.
class ProgressLine {
 public:
  ProgressLine(std::ostream& out, const ConsoleOptions& options) : out_(out), options_(options) {}

  void draw(const Progress& progress);
  void erase();

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream& out_;
  const ConsoleOptions options_;
  bool shown_ = false;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_;
};

}  // namespace plumbline::engine
