#pragma once

#include "harness/engine/spec/value.hpp"
#include "harness/network/setup/native.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// Reads `setup: native:` and checks it against the world that it goes into. Throws SpecError.
network::NativeSetup read_native(const Value& value, const network::Topology& world);

}  // namespace plumbline::spec
