#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Private to this folder.
namespace plumbline::engine::mutation {

/// A named set or map as `nft list ruleset` writes it.
struct TextSet {
  std::string name;       ///< with family and table: "inet filter internal"
  bool interval = false;  ///< it may hold prefixes
  std::vector<std::string>
      elements;  ///< "10.0.0.0/8", of a map "10.0.0.0/8 : drop"; none that end by themselves
};

std::vector<TextSet> parse_sets(std::string_view listing);

}  // namespace plumbline::engine::mutation
