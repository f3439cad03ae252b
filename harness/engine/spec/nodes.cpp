#include "harness/engine/spec/nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

using network::Locator;

constexpr std::array<std::string_view, 4> kKinds{"netns", "pid", "docker", "podman"};
constexpr std::array<Locator::Kind, 4> kLocators{Locator::Kind::netns, Locator::Kind::pid,
                                                 Locator::Kind::docker, Locator::Kind::podman};
constexpr std::string_view kExample = "web: {docker: web}";
/// Longer than any path that the kernel opens.
constexpr std::size_t kLongestPlace = 4096;

/// A name in /run/netns is a file's: whatever `ip netns add` takes.
bool names_a_file(const std::string& text) {
  constexpr std::size_t longest = 255;  // NAME_MAX of <linux/limits.h>
  const bool plain = std::ranges::none_of(text, [](unsigned char letter) { return letter == 0; });
  return plain && !text.empty() && text.size() <= longest && text.find('/') == std::string::npos &&
         text != "." && text != "..";
}

/// A name in /run/netns, or an absolute path; of an engine a container's name or id.
std::string read_place(const Value& value, Locator::Kind kind) {
  const std::string key = network::to_text(kind);
  if (kind == Locator::Kind::pid) {
    return std::to_string(value.as_number("pid", 1, std::numeric_limits<std::int32_t>::max()));
  }
  const std::string& text = value.as_text(key);
  if (kind == Locator::Kind::netns && text.starts_with('/')) {
    const bool plain = std::ranges::none_of(text, [](unsigned char letter) { return letter < ' '; });
    if (!plain || text.size() >= kLongestPlace)
      value.fail(fmt::format("'netns' must be a name in /run/netns or a path, not {}", in_quotes(text)));
    return text;
  }
  if (kind == Locator::Kind::netns) {
    if (names_a_file(text)) return text;
    value.fail(fmt::format("'netns' must be a name in /run/netns, or an absolute path: {}", in_quotes(text)));
  }
  constexpr std::size_t longest_id = 255;
  return value.as_name(key, longest_id);
}

Locator read_locator(const Value& value, const std::string& name) {
  const std::string what = fmt::format("the node {}", name);
  if (value.kind != Value::Kind::mapping || value.entries.size() != 1) {
    value.fail(fmt::format("{} must be one key that says where it is found, as in `{}`", what, kExample));
  }
  value.allow_keys(what, kKinds);
  const Value::Entry& entry = value.entries.front();
  const auto kind = std::ranges::find(kKinds, entry.key);
  const Locator::Kind found = kLocators.at(static_cast<std::size_t>(kind - kKinds.begin()));
  return {found, read_place(entry.value, found)};
}

/// The host needs no place: only where it is may be said, for the reader.
bool is_host(const Value::Entry& entry, const Locator& locator) {
  if (entry.key != "host") return false;
  if (locator.kind == Locator::Kind::netns && locator.value == "self") return true;
  throw SpecError(
      entry.mark,
      "the host is the namespace that plumbline is started in: leave it out, or say `host: {netns: "
      "self}`");
}

}  // namespace

std::vector<NamedNode> read_named_nodes(const Value& value) {
  std::vector<NamedNode> nodes;
  if (value.kind == Value::Kind::null) return nodes;
  for (const Value::Entry& entry : value.as_mapping("nodes")) {
    Value name;
    name.kind = Value::Kind::scalar;
    name.mark = entry.mark;
    name.text = entry.key;
    name.as_name("nodes", kLongestName);
    if (IpAddress::parse(entry.key))
      name.fail(fmt::format("a node cannot be named like an address: {}", in_quotes(entry.key)));
    Locator locator = read_locator(entry.value, entry.key);
    if (is_host(entry, locator)) continue;
    const auto same = std::ranges::find(nodes, locator, &NamedNode::locator);
    if (same != nodes.end()) {
      throw SpecError(entry.mark, fmt::format("{} is {} already", network::to_string(locator), same->name));
    }
    nodes.push_back({entry.key, std::move(locator), entry.mark});
  }
  return nodes;
}

}  // namespace plumbline::spec
