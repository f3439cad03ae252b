#pragma once

#include "harness/engine/spec/value.hpp"
#include "harness/network/setup/engine/engine.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// "8080:80", "127.0.0.1:8081:80/tcp", "[::1]:53:53/udp". Throws SpecError.
network::EngineSetup::Publish read_publish(const Value& value);

}  // namespace plumbline::spec
