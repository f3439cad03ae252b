#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"

namespace plumbline::network::cni {

/// What a plugin says that it made (CNI specification, section 5).
struct Result {
  struct Link {
    std::string name;
    std::string sandbox;  ///< empty: in the host
  };
  std::vector<Link> interfaces;
  std::vector<InterfaceAddress> addresses;  ///< of the container
  std::vector<IpAddress> resolvers;
  boost::json::object json;  ///< as it was said
};

/// Reads the result of an ADD, of any version from 0.3.0 on. Throws Error of kind setup for what is none.
Result parse_result(std::string_view text);

/// What a plugin says that failed.
struct PluginError {
  std::uint64_t code = 0;
  std::string message;
  std::string details;

  std::string to_string() const;  ///< "code 999: could not check: no chain (details)"
};
/// Absent: it says nothing of that kind.
std::optional<PluginError> parse_error(std::string_view text);

/// The versions that a plugin speaks, from its answer to VERSION. Throws Error of kind setup for what is
/// none.
std::vector<std::string> parse_versions(std::string_view text);

}  // namespace plumbline::network::cni
