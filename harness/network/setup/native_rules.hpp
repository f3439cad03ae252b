#pragma once

#include "harness/network/setup/native.hpp"

/// Private to this folder.
namespace plumbline::network {

/// The forward chain that `setup.forward` asks for, and the masquerade. Empty tables are left out.
kernel::nft::Ruleset native_rules(const NativeSetup& setup);

}  // namespace plumbline::network
