#include "harness/testing/work_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::testing {
namespace {

std::string text_of(const std::exception_ptr& problem) {
  try {
    if (problem) std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): it has no text
  }
  return "an unknown error";
}

}  // namespace

void WorkLoop::run(boost::asio::awaitable<void> work) {
  require_alive();
  std::exception_ptr problem;
  try {
    start(std::move(work));
    while (working_ > 0 && !problem_) {
      context_.restart();
      context_.run();
    }
    problem = std::exchange(problem_, nullptr);
  } catch (...) {
    problem = std::current_exception();
  }
  if (working_ > 0) abandon(problem);
  if (problem) std::rethrow_exception(problem);
}

void WorkLoop::start(boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(context_, std::move(work), [this](const std::exception_ptr& problem) {
    if (problem && !problem_) problem_ = problem;
    if (--working_ == 0 || problem) context_.stop();
  });
  ++working_;  // nothing of it has run yet
}

void WorkLoop::require_alive() const {
  if (ended_by_.empty()) return;
  throw Error("the network cannot be used any more, for watching it went wrong: " + ended_by_)
      .with_remedy("make a new Network");
}

void WorkLoop::abandon(const std::exception_ptr& problem) {
  ended_by_ = text_of(problem);
  if (ended_by_.empty()) ended_by_ = "an error without text";
  problem_ = nullptr;
  working_ = 0;
  context_.shutdown();
}

}  // namespace plumbline::testing
