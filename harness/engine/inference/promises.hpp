#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/network/discovery/host_view.hpp"

/// From a host as it is to the promises that hold or plainly should.
namespace plumbline::engine {

/// One check of a spec, or a word on what is not promised.
struct Promise {
  std::string section;  ///< what of the host it is about: "docker network blue (br-0123, 172.30.0.1/24)"
  std::string comment;  ///< where it comes from; one line
  std::string check;    ///< `reach: {from: host, to: web}`; empty: the comment is all
};

/// What a spec can be told beside: nothing is ever sent to an address that neither these nor the host's own
/// configuration names.
struct InferenceOptions {
  /// To whom egress is promised; absent: the gateway of the host's default route.
  std::optional<IpAddress> internet;
  std::optional<std::uint16_t> internet_port;  ///< of TCP; absent: ping
  bool no_egress = false;
  std::vector<std::string> names;  ///< that every container's resolver is to know
};

/// In the order in which a spec has them. Asks kernels for routes, and changes nothing.
std::vector<Promise> infer(const network::HostView& view, const InferenceOptions& options);

}  // namespace plumbline::engine
