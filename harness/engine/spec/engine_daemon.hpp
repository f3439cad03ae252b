#pragma once

#include <boost/json/object.hpp>

#include "harness/engine/spec/value.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// What a `docker` setup says of its daemon, as daemon.json has it: the keys that are about networks, each
/// with a value of its type, and none that leads out of the disposable host. Throws SpecError.
boost::json::object read_daemon(const Value& value);

}  // namespace plumbline::spec
