#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/error.hpp"

/// What `doctor` tries on this machine. Each trial does the very thing that a run needs, with the same code.
namespace plumbline::cli {

enum class Finding : std::uint8_t {
  ok,
  missing,  ///< a run needs it
  absent,   ///< a run does without
  untried,  ///< what it rests on is missing
};

struct Trial {
  std::string name;  ///< "nftables"
  Finding finding = Finding::ok;
  std::string detail;
  std::string remedy;  ///< empty: nothing to do
};

/// Who runs this: "root", "uid 1000", "root in a user namespace".
std::string identity();
/// The kernel, privileges and tools: told anywhere. `outside` is the identity of who started the sandbox that
/// this runs in; empty outside one.
std::vector<Trial> look_around(const std::string& outside);
/// Namespaces, links, capture, nftables: to be called inside the sandbox.
std::vector<Trial> try_inside();
/// What stands for that where the sandbox was `refused`.
std::vector<Trial> refused_sandbox(const Error& refused);

}  // namespace plumbline::cli
