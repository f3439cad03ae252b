#pragma once

#include <string>
#include <vector>

namespace plumbline::kernel {

/// Which this thread lacks of those that entering namespaces (CAP_SYS_ADMIN), taps (CAP_NET_RAW) and
/// questions to netfilter (CAP_NET_ADMIN) take; by name. Throws Error.
std::vector<std::string> missing_capabilities();

}  // namespace plumbline::kernel
