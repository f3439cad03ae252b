#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "harness/network/discovery/locate.hpp"

namespace plumbline::network {

/// Private to this folder: a container that runs, found by its name or id through the API of `engine`
/// (docker, podman) at `socket`. Throws Error: see locate().
boost::asio::awaitable<Located> locate_container(Locator::Kind engine, std::string socket, std::string name);

}  // namespace plumbline::network
