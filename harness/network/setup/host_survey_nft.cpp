#include "harness/network/setup/host_survey_nft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "harness/kernel/nftables/listing.hpp"

namespace plumbline::network {
namespace {

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

/// Without what indents it, its handle, and the brace that opens a block.
std::string_view words_of(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
  line = line.substr(0, line.find(" # handle "));
  return line.ends_with(" {") ? line.substr(0, line.size() - 2) : line;
}

/// Tables, and what they hold beside chains. A table begins at the margin, its objects one tab further in.
std::vector<HostEntry> entries_beside_chains(std::string_view text) {
  std::vector<HostEntry> entries;
  std::string table;
  std::string object;  // "set blocked"; empty: outside
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::string_view words = words_of(line);
    if (line.starts_with("table ")) {
      table = words.substr(6);
      object.clear();
      entries.push_back({"nft table " + table, {}, table});
      entries.back().removal = "nft delete table " + table;
    } else if (line == "\t}" || line == "}") {
      object.clear();
    } else if (line.starts_with("\t") && !line.starts_with("\t\t") && !words.empty()) {
      object = words.starts_with("chain ") ? std::string() : std::string(words);
      if (object.empty()) continue;
      entries.push_back({fmt::format("nft {} {}", table, object), {}, table});
      const std::size_t space = object.find(' ');
      if (space == std::string::npos) continue;
      entries.back().removal =
          fmt::format("nft delete {} {} {}", object.substr(0, space), table, object.substr(space + 1));
    } else if (!object.empty() && !words.empty()) {
      entries.push_back({fmt::format("in nft {} {}: {}", table, object, words), {}, table});
    }
  }
  return entries;
}

}  // namespace

std::vector<HostEntry> nft_entries(std::string_view text) {
  std::vector<HostEntry> entries = entries_beside_chains(text);
  for (const kernel::nft::TextChain& chain : kernel::nft::parse_chains(text)) {
    const std::string table = fmt::format("{} {}", chain.family, chain.table);
    const std::string name = fmt::format("{} {}", table, chain.name);
    entries.push_back({"chain of nft " + name, chain.name, table});
    entries.back().removal = fmt::format("nft flush chain {0}; nft delete chain {0}", name);
    if (chain.policy == "drop") {
      HostEntry& policy = entries.emplace_back();
      policy.text = fmt::format("policy drop of the chain of nft {}", name);
      policy.removal = fmt::format("nft 'chain {} {{ policy accept; }}'", name);
    }
    for (const auto& rule : chain.rules) {
      entries.push_back({fmt::format("rule of nft {}: {}", name, rule.text), chain.name, table, rule.text});
      entries.back().removal = fmt::format("nft delete rule {} handle {}", name, rule.handle);
    }
  }
  return entries;
}

}  // namespace plumbline::network
