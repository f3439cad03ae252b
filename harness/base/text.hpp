#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Text from packets, specs, programs and the kernel, made fit to be shown. Nothing here throws for any
/// input.
namespace plumbline {

/// The same text with every byte that is no part of valid UTF-8 (RFC 3629) replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// One line that cannot steer a terminal: control characters, line ends included, and characters that reorder
/// or hide text (Unicode's bidirectional controls, line separators, zero-width marks) are spelled out as \n,
/// \x1b, \u202e; invalid UTF-8 as \xNN.
std::string printable(std::string_view text);

/// The lines of `text`, each printable, without a final empty one. For text that may rightly have several.
std::vector<std::string> printable_lines(std::string_view text);

/// Columns on a terminal: one a code point, which is right for all that is not East Asian or combining.
std::size_t columns(std::string_view text);

/// Broken at spaces into lines of at most `width` columns (at least 1); a longer word is cut. Never empty.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// True when `text` is what `glob` says: `*` stands for any text, all else for itself.
bool glob_matches(std::string_view glob, std::string_view text);

/// Whether DNS can be asked for it: labels of 1 to 63 letters, digits, "-" and "_", 253 characters at most
/// (RFC 1035); a dot may end it.
bool is_host_name(std::string_view text);

/// ASCII letters in lower case.
std::string lower(std::string_view text);

/// True when `text` holds `pattern`, letters' case aside; a leading ! turns that round. An empty one holds
/// for all.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace plumbline
