#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <string>

#include "harness/base/error.hpp"

namespace plumbline::network {

/// The engine has answered, and said no.
class EngineRefusal : public Error {
 public:
  EngineRefusal(const std::string& message, unsigned status)
      : Error(message, ErrorKind::setup), status_(status) {}
  unsigned status() const noexcept { return status_; }  ///< HTTP's; 404: there is no such thing

 private:
  unsigned status_;
};

/// A container engine that speaks Docker's HTTP API on a unix socket: dockerd, and Podman's system service.
/// A request is a connection of its own, so several may be under way.
class EngineApi {
 public:
  /// Nothing is connected yet. `timeout`: for a whole request.
  explicit EngineApi(std::string socket, std::chrono::milliseconds timeout = std::chrono::seconds(60));

  const std::string& socket() const noexcept { return socket_; }

  /// `target` names no version of the API, so that the engine takes its own: "/containers/json?all=true".
  /// What comes back is the body's JSON; several values one after the other (progress) are an array, no body
  /// is null, text that is no JSON a string.
  ///
  /// Throws Error: of kind environment, with the remedy, where the socket is not there, nobody listens, or
  /// this user may not; of kind setup where no answer comes in time, or one that is not HTTP; EngineRefusal,
  /// with the engine's own message, for a status of 400 or more and for an error among progress.
  boost::asio::awaitable<boost::json::value> get(std::string target) const;
  /// `body` null: the request has none.
  boost::asio::awaitable<boost::json::value> post(std::string target, boost::json::value body = {}) const;
  boost::asio::awaitable<boost::json::value> post_tar(std::string target, std::string tar) const;
  boost::asio::awaitable<boost::json::value> remove(std::string target) const;

 private:
  std::string socket_;
  std::chrono::milliseconds timeout_;
};

/// `text` as it stands in a target's path or query.
std::string url_encoded(const std::string& text);

}  // namespace plumbline::network
