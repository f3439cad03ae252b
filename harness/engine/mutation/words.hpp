#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"

/// Private to this folder: lines of configuration taken apart.
namespace plumbline::engine::mutation {

/// A word of a line, with where it begins. Braces and commas are words of their own, but for a comma within a
/// list without blanks ("established,related"); what stands in double quotes is one word.
struct Word {
  std::string_view text;
  std::size_t at = 0;
  bool quoted = false;
};

std::vector<Word> words_of(std::string_view line);

/// `line` with `with` in the place of the `length` bytes at `at`.
std::string replaced(std::string_view line, std::size_t at, std::size_t length, std::string_view with);

/// All of it one word to a shell.
std::string shell_quoted(std::string_view text);

/// Each run of blanks, tabs and line ends one blank.
std::string squeezed(std::string_view text);

std::vector<std::string_view> lines_of(std::string_view text);

/// A prefix with one bit more or less.
struct OtherPrefix {
  std::string operation;  ///< "widen 10.0.0.0/8"
  Prefix prefix;
};

/// The next wider one, where it is not all addresses already, and of the two next narrower ones the lower.
std::vector<OtherPrefix> other_prefixes(const Prefix& prefix);

/// An address alone where it has all bits, as tools write it.
std::string short_text(const Prefix& prefix);

}  // namespace plumbline::engine::mutation
