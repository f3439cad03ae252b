#include "harness/network/setup/cni_leftovers.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace plumbline::network {
namespace {

bool is_alnum(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 && std::isalnum(byte) != 0;
}

/// Part of a longer name, or number.
bool continues_name(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

bool holds_name(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool starts = at == 0 || !continues_name(text[at - 1]);
    if (starts && (end == text.size() || !continues_name(text[end]))) return true;
  }
  return false;
}

/// 10.88.0.2 may be followed by a port and by a full stop, fd00::2 by neither digit nor colon.
bool holds_address(std::string_view text, const IpAddress& address) {
  const std::string name = address.to_string();
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const auto goes_on = [&](char c) { return is_alnum(c) || c == '.' || (c == ':' && !address.is_v4()); };
    const bool starts = at == 0 || (!is_alnum(text[at - 1]) && text[at - 1] != '.' &&
                                    (address.is_v4() || text[at - 1] != ':'));
    if (!starts) continue;
    if (end == text.size() || !goes_on(text[end])) return true;
    const bool full_stop = text[end] == '.' && (end + 1 == text.size() || !is_alnum(text[end + 1]));
    if (full_stop) return true;
  }
  return false;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = text.find_first_not_of(' ', at);
    if (start == std::string_view::npos) break;
    at = std::min(text.find(' ', start), text.size());
    words.push_back(text.substr(start, at - start));
  }
  return words;
}

}  // namespace

bool is_hash_name(std::string_view name) {
  constexpr std::size_t least = 16;
  std::size_t run = 0;
  for (const char c : name) {
    run = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? run + 1 : 0;
    if (run >= least) return true;
  }
  return false;
}

bool mentions(std::string_view text, const Belongings& belongings) {
  if (!belongings.id.empty() && holds_name(text, belongings.id)) return true;
  if (std::ranges::any_of(belongings.names, [&](const auto& name) { return holds_name(text, name); })) {
    return true;
  }
  return std::ranges::any_of(belongings.addresses,
                             [&](const IpAddress& address) { return holds_address(text, address); });
}

void learn_chains(const std::vector<HostEntry>& entries, Belongings& belongings) {
  std::set<std::string> own;
  for (const HostEntry& entry : entries) {
    if (entry.chain.empty() || !mentions(entry.text, belongings)) continue;
    if (is_hash_name(entry.chain)) own.insert(entry.chain);
    const auto words = words_of(entry.text);
    for (std::size_t i = 1; i < words.size(); ++i) {
      const bool leads =
          words[i - 1] == "jump" || words[i - 1] == "goto" || words[i - 1] == "-j" || words[i - 1] == "-g";
      if (leads && is_hash_name(words[i])) own.emplace(words[i]);
    }
  }
  belongings.names.merge(own);
}

std::vector<HostEntry> left_behind(const HostStates& states) {
  // By how many of each there may be: the same rule twice is one too many.
  std::map<std::string_view, int> allowed;
  for (const HostEntry& entry : states.before_del) ++allowed[entry.text];
  for (const HostEntry& entry : states.after_add) --allowed[entry.text];
  for (auto& [text, count] : allowed) count = std::max(count, 0);
  for (const HostEntry& entry : states.before_add) ++allowed[entry.text];
  std::vector<HostEntry> left;
  for (const HostEntry& entry : states.after_del) {
    if (--allowed[entry.text] < 0) left.push_back(entry);
  }
  return left;
}

std::vector<HostEntry> taken_away(const HostStates& states) {
  const auto counts = [](const HostEntry& entry) {
    if (entry.automatic || !entry.file.empty()) return false;
    return std::ranges::none_of(std::array<std::string_view, 4>{"file ", "in nft ", "mount ", "name "},
                                [&](std::string_view word) { return entry.text.starts_with(word); });
  };
  std::map<std::string_view, int> there;
  for (const HostEntry& entry : states.after_add) ++there[entry.text];
  for (const HostEntry& entry : states.before_del) --there[entry.text];
  for (auto& [text, count] : there) count = std::max(count, 0);
  for (const HostEntry& entry : states.after_del) ++there[entry.text];
  std::vector<HostEntry> gone;
  for (const HostEntry& entry : states.before_add) {
    if (--there[entry.text] < 0 && counts(entry)) gone.push_back(entry);
  }
  return gone;
}

}  // namespace plumbline::network
