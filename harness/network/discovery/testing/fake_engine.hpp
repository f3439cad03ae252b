#pragma once

#include <fmt/format.h>
#include <stdlib.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// For tests: an engine that says what no real one can be brought to say, and a loop that asks it.
namespace plumbline::network::testing {

class FakeEngine {
 public:
  explicit FakeEngine(boost::asio::io_context& loop) : loop_(loop) {
    std::string pattern = "/tmp/plumbline-engine-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    acceptor_.emplace(loop, boost::asio::local::stream_protocol::endpoint(socket()));
    boost::asio::co_spawn(loop, accept(), boost::asio::detached);
  }
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;
  ~FakeEngine() { std::filesystem::remove_all(folder_); }

  std::string socket() const { return (folder_ / "sock").string(); }

  /// What it answers a request for `target`, whatever stands behind: bytes as they are, HTTP included.
  void answers(const std::string& target, std::string bytes) { answers_[target] = std::move(bytes); }
  void says(const std::string& target, const std::string& json, unsigned status = 200) {
    answers(target, fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, json.size(), json));
  }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  using Socket = boost::asio::local::stream_protocol::socket;

  boost::asio::awaitable<void> accept() {
    constexpr auto kResult = boost::asio::as_tuple(boost::asio::use_awaitable);
    while (true) {
      auto [problem, peer] = co_await acceptor_->async_accept(kResult);
      if (problem) co_return;
      boost::asio::co_spawn(loop_, answer(std::move(peer)), boost::asio::detached);
    }
  }

  boost::asio::awaitable<void> answer(Socket peer) {
    constexpr auto kResult = boost::asio::as_tuple(boost::asio::use_awaitable);
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      std::array<char, 4096> chunk{};
      const auto [problem, size] = co_await peer.async_read_some(boost::asio::buffer(chunk), kResult);
      if (problem) co_return;
      request.append(chunk.data(), size);
    }
    const std::size_t start = request.find(' ') + 1;
    const std::string target = request.substr(start, request.find(' ', start) - start);
    asked_.push_back(target);
    const auto found = answers_.find(target);
    const std::string nothing = "HTTP/1.1 404 X\r\nContent-Length: 24\r\n\r\n{\"message\":\"no such one\"}";
    const std::string& bytes = found == answers_.end() ? nothing : found->second;
    co_await boost::asio::async_write(peer, boost::asio::buffer(bytes), kResult);
  }

  boost::asio::io_context& loop_;
  std::filesystem::path folder_;
  std::optional<boost::asio::local::stream_protocol::acceptor> acceptor_;
  std::map<std::string, std::string> answers_;
  std::vector<std::string> asked_;
};

/// Runs `work` on `loop` to its end.
template <class T>
T await(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
  std::exception_ptr problem;
  std::optional<T> result;
  auto into = [](boost::asio::awaitable<T> inner, std::optional<T>& place) -> boost::asio::awaitable<void> {
    place.emplace(co_await std::move(inner));  // T need not be default constructible so
  };
  boost::asio::co_spawn(loop, into(std::move(work), result), [&](const std::exception_ptr& error) {
    problem = error;
    loop.stop();
  });
  loop.restart();
  loop.run();
  if (problem) std::rethrow_exception(problem);
  return std::move(result).value();
}

}  // namespace plumbline::network::testing
