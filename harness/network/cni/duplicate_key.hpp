#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plumbline::network::cni {

/// A key that one of the objects in a JSON text has twice: most readers take the last without a word. Absent:
/// there is none, as far as the text is JSON. Pure.
std::optional<std::string> key_said_twice(std::string_view text);

}  // namespace plumbline::network::cni
