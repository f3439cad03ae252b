#pragma once

#include <string>
#include <string_view>

namespace plumbline::engine {

/// Where in a spec: "scenarios/diy.yaml:41:5" taken apart.
struct Place {
  std::string file;
  std::string line, column;  ///< digits, from 1; empty: not told

  friend bool operator==(const Place&, const Place&) = default;
};
/// Whatever `where` holds: what is not a number at its end belongs to the file's name.
Place place_of(std::string_view where);
/// "a.yaml:5:3" where `message` begins so, as errors about a part of spec `file` do; else `file`.
std::string place_in(std::string_view file, std::string_view message);

}  // namespace plumbline::engine
