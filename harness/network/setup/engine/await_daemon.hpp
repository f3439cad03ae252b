#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/kernel/process/daemon.hpp"

/// Private to this folder.
namespace plumbline::network {

/// Done when an engine answers at `socket`. Throws Error of kind setup, with the last words of `daemon`,
/// where that ends first, or the deadline passes.
boost::asio::awaitable<void> await_daemon(std::string engine, kernel::Daemon& daemon, std::string socket,
                                          Deadline deadline);

/// `problem`, that a request to `daemon` ran into, and with it how the daemon ended and its last words, where
/// it has ended by the deadline.
boost::asio::awaitable<Error> with_end_of(std::string engine, kernel::Daemon& daemon, Error problem,
                                          Deadline deadline);

}  // namespace plumbline::network
