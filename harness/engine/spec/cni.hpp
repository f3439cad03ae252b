#pragma once

#include <string>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/value.hpp"

/// Private to this folder.
namespace plumbline::spec {

/// What `setup: cni:` says. Network configurations are looked for beside the spec, then in the setups'
/// folder, and read. Throws SpecError.
Setup read_cni(const Value::Entry& entry, const std::string& spec_file, const LoadOptions& options,
               const network::Topology& world);

}  // namespace plumbline::spec
