#include "harness/engine/spec/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plumbline::spec {
namespace {

constexpr std::size_t kLongestShown = 60;  // bytes
constexpr std::size_t kMostWords = 30;

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::size_t shown = std::min(text.size(), kLongestShown);
  while (shown < text.size() && shown > 0 && continues_character(text[shown])) --shown;
  std::string result = "'";
  for (const char c : text.substr(0, shown)) result += static_cast<unsigned char>(c) < 0x20U ? ' ' : c;
  if (shown < text.size()) result += "…";
  return result + "'";
}

std::string advice(std::string_view word, std::span<const std::string_view> words, std::string_view label) {
  const std::string_view near = nearest(word, words);
  std::string text = near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
  const auto shown = words.first(std::min(words.size(), kMostWords));
  if (shown.empty()) return text;
  return text +
         fmt::format(" ({}: {}{})", label, fmt::join(shown, ", "), shown.size() < words.size() ? ", …" : "");
}

void fail_unknown(const Value& value, std::string_view thing, std::span<const std::string_view> words,
                  std::string_view label) {
  value.fail(fmt::format("unknown {} {}{}", thing, in_quotes(value.text), advice(value.text, words, label)));
}

void refuse_unusable(const InterfaceAddress& held, const Value& value) {
  static const Prefix kThisNetwork(IpAddress::v4({}), 8);
  static const Prefix kMapped(*IpAddress::parse("::ffff:0:0"), 96);
  static const IpAddress kEveryone = IpAddress::v4({255, 255, 255, 255});
  const IpAddress& address = held.address;
  if (address.is_unspecified() || address.is_multicast() || address.is_loopback() ||
      kThisNetwork.contains(address) || kMapped.contains(address) || address == kEveryone) {
    value.fail(fmt::format("{} cannot be the address of an interface", address.to_string()));
  }
  const Prefix network = held.network();
  if (!address.is_v4() || held.prefix_length >= 31) return;
  if (address != network.address() && address != network.last()) return;
  value.fail(fmt::format("{} is the {} address of its own network {}", address.to_string(),
                         address == network.address() ? "network" : "broadcast", network.to_string()));
}

}  // namespace plumbline::spec
