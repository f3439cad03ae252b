#pragma once

#include <string>

#include "harness/engine/spec/value.hpp"

namespace plumbline::engine {

/// What a kernel says that refuses to route or send: "network unreachable" (ENETUNREACH), "host unreachable"
/// (EHOSTUNREACH), "permission denied" (EACCES: a prohibit route), "invalid argument" (EINVAL: a blackhole
/// route), "operation not permitted" (EPERM: a firewall); of other errors errno's own text.
std::string kernel_error_text(int error_number);

/// One of those words, or errno's own text for it ("Network is unreachable"), as an errno. Throws SpecError.
int read_kernel_error(const spec::Value& value);

}  // namespace plumbline::engine
