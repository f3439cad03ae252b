#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/spec/value.hpp"

/// Private to this folder: what errors are made of.
namespace plumbline::spec {

inline constexpr std::size_t kLongestInterfaceName = 15;  ///< the kernel's IFNAMSIZ with its NUL is 16
inline constexpr std::size_t kLongestName = 63;  ///< of nodes, segments, specs: they become names of files

/// `text` in quotes, short enough for a message and without control characters.
std::string in_quotes(std::string_view text);

/// "; did you mean 'forward'? (allowed: bridges, forward)", the first part only where a word is near.
std::string advice(std::string_view word, std::span<const std::string_view> words, std::string_view label);

/// Throws SpecError at `value`: "unknown node 'hsot'; did you mean 'host'? (nodes: host, internet)".
[[noreturn]] void fail_unknown(const Value& value, std::string_view thing,
                               std::span<const std::string_view> words, std::string_view label);

/// Throws SpecError at `value` for an address that no interface can hold: of loopback, multicast, 0.0.0.0/8,
/// 255.255.255.255, unspecified, or IPv4-mapped; the network's own or its broadcast address.
void refuse_unusable(const InterfaceAddress& held, const Value& value);

/// The `name` fields of `items`, as words.
template <class Items>
std::vector<std::string_view> names_of(const Items& items) {
  std::vector<std::string_view> names;
  for (const auto& item : items) names.emplace_back(item.name);
  return names;
}

}  // namespace plumbline::spec
