#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel {

/// Writes one of `netns`'s own sysctls. `name` is dotted ("net.ipv4.ip_forward") or, where an interface name
/// holds a dot, with slashes ("net/ipv4/conf/eth0.5/forwarding"). Throws Error: of kind usage for a value
/// that the kernel refuses, of kind environment for a sysctl that it does not have or that is read-only.
void write_sysctl(const Netns& netns, std::string_view name, std::string_view value);

/// Its value without the line end; absent when this kernel has no such sysctl. Throws Error otherwise.
std::optional<std::string> read_sysctl(const Netns& netns, std::string_view name);

}  // namespace plumbline::kernel
