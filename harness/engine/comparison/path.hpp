#pragma once

#include <string>
#include <vector>

#include "harness/engine/comparison/interfaces.hpp"

namespace plumbline::engine {

/// A hop or a rule. The same in two runs has the same key; the text is for people.
struct Landmark {
  std::string key, text;
  std::string node;
};

/// The way that a check's packets took, each hop and rule once. docs/decisions/0018 says what belongs to it.
struct Path {
  std::vector<Landmark> hops, rules;
  bool told_of_rules = false;  ///< some kernel reported what it did
};

Path path_of(const CheckResult& check, const Interfaces& interfaces);

/// A rule's or chain's words without what engines make up anew in each run: ids (twelve hexadecimal digits or
/// more) and ports that the kernel has chosen for a listener on 127.0.0.0/8.
std::string lasting_words(std::string_view text);

}  // namespace plumbline::engine
