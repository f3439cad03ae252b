#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

namespace plumbline::engine {

/// `text` as a value; bytes that are no UTF-8 become U+FFFD.
boost::json::value json_text(std::string_view text);

/// JSON with an indentation of two spaces and a final line end. An object or array that holds nothing but
/// plain values stands on one line where it is short: a step of a journey is a line, and reports can be
/// compared by diff.
std::string pretty(const boost::json::value& value);

}  // namespace plumbline::engine
