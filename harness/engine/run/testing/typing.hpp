#pragma once

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <vector>

/// For tests: the commands of a cause's fix, typed as a reader would.
namespace plumbline::engine::testing {

/// "ip link set eth0 up  # on container-one", as a line of a script that runs on the host.
inline std::string as_typed(const std::string& command) {
  const std::string on = "  # on ";
  const auto at = command.rfind(on);
  if (at == std::string::npos) return command;
  const std::string node = command.substr(at + on.size());
  const std::string typed = command.substr(0, at);
  if (node == "host") return typed;
  std::string quoted;
  for (const char each : typed) quoted += each == '\'' ? std::string("'\\''") : std::string(1, each);
  return fmt::format("ip netns exec {} sh -c '{}'", node, quoted);
}

inline std::vector<std::string> lines_of(const std::string& fix) {
  std::vector<std::string> lines;
  std::istringstream text(fix);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// An item of `checks:` that types the commands on the nodes that they name.
inline std::string run_step(const std::vector<std::string>& commands) {
  std::string text = "  - run:\n      shell: |\n";
  for (const std::string& command : commands) text += "        " + as_typed(command) + "\n";
  return text;
}

}  // namespace plumbline::engine::testing
