#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "harness/network/setup/engine/engine.hpp"

/// Private to this folder: what an engine is asked for, as its API wants it. Pure.
///
/// Targets name no version of the API: the oldest that an engine still speaks, and the newest, differ from
/// one release to the next, and without one it takes its own.
namespace plumbline::network {

/// The image that `image_tar` makes, as it is named to the engine.
inline constexpr const char* kImage = "localhost/plumbline";

std::string image_target();
std::string network_target();
std::string container_target(const std::string& name);
std::string join_target(const std::string& network);
std::string start_target(const std::string& container);
std::string inspect_target(const std::string& container);

boost::json::object network_body(const EngineSetup::Network& network);
/// On its first network; the others are joined with `join_body`.
boost::json::object container_body(const EngineSetup::Container& container, EngineSetup::Engine engine);
/// Of the network that it is about to join, for the container `name`.
boost::json::object join_body(const std::string& name, const EngineSetup::Attachment& attachment);

}  // namespace plumbline::network
