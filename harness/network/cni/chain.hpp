#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "harness/network/cni/configuration.hpp"
#include "harness/network/cni/plugin.hpp"
#include "harness/network/cni/result.hpp"

/// The plugins of a network, called one after the other as runtimes do (CNI specification, section 3).
namespace plumbline::network::cni {

/// A standard plugin that `network` needs and that is in none of the folders, or the iptables that one needs,
/// with its package. Absent: all are there. Throws Error of kind setup for a missing one of any other origin.
std::optional<std::string> missing_plugin(const Configuration& network, const Site& site);

/// Asks each plugin for the versions that it speaks. Throws Error of kind setup for one that does not speak
/// the network's.
boost::asio::awaitable<void> require_versions(const Configuration& network, const Site& site);

/// ADD by each plugin in turn, each with the result of the one before it. Where one fails, DEL follows, so
/// that nothing is lost of what came before. `known`: what the runtime knows, by capability. Throws Error of
/// kind setup.
boost::asio::awaitable<Result> add(const Configuration& network, const Site& site,
                                   const Attachment& attachment, const boost::json::object& known);

/// CHECK by each plugin in turn, with the result of ADD. Does nothing where the network's version has no
/// CHECK or its author asked for none. Throws Error of kind setup.
boost::asio::awaitable<void> check(const Configuration& network, const Site& site,
                                   const Attachment& attachment, const boost::json::object& known,
                                   const boost::json::object& result);

/// DEL by each plugin in reverse order, with the result of ADD (null: there is none); where one fails, the
/// others follow all the same. Then throws Error of kind setup that tells every failure.
boost::asio::awaitable<void> del(const Configuration& network, const Site& site, const Attachment& attachment,
                                 const boost::json::object& known, const boost::json::object* result);

}  // namespace plumbline::network::cni
