#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/base/ip.hpp"

namespace plumbline::network {

/// What a resolv.conf says.
struct ResolvConf {
  std::vector<IpAddress> servers;  ///< in order; at most kMostServers, as the C library takes
  /// Why it could not be read; empty: it was, or there is none.
  std::string unread;
};

inline constexpr std::size_t kMostServers = 3;  // MAXNS of <resolv.h>

/// The servers that `text` names (resolv.conf(5)). An address with a scope ("fe80::1%eth0") names its
/// interface alone, and is passed over, as whatever else is no address.
std::vector<IpAddress> parse_resolv_conf(std::string_view text);

/// Reads the file `path` (relative) below the folder `root`, which belongs to somebody else: no link leads
/// out of it, nothing but a regular file is opened, and no more than 64 KiB are read. (A file system that is
/// a program of a container's (FUSE), and might never answer, lets nobody in from outside its user
/// namespace.) `path` that is not there: nothing.
ResolvConf read_resolv_conf(const Fd& root, const std::string& path);
/// The same of one of ours, by absolute path.
ResolvConf read_resolv_conf(const std::string& path);

}  // namespace plumbline::network
