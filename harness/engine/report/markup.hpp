#pragma once

#include <string>
#include <string_view>

namespace plumbline::engine {

/// One line of any text as character data or an attribute's value of XML 1.0 and HTML: printable, with the
/// characters that mean something there as references.
std::string markup(std::string_view text);
/// The same, its own line ends kept.
std::string markup_lines(std::string_view text);

}  // namespace plumbline::engine
