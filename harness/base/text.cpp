#include "harness/base/text.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace plumbline {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // bytes; at least 1
  bool valid = false;
};

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// The code point at the start of `text`, which must not be empty. Overlong forms, surrogates and values
/// beyond U+10FFFF are invalid, one byte long, as RFC 3629 has it.
CodePoint decode(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  char32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const std::uint8_t next = byte_at(text, i);
    if ((next & 0xc0U) != 0x80U) return {};
    value = (value << 6U) | (next & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return {};
  return {value, length, true};
}

bool steers_or_hides(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

std::string spelled(char32_t c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto number = static_cast<std::uint32_t>(c);
  if (number < 0x100) return fmt::format("\\x{:02x}", number);
  return number < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

/// How many cells of a terminal characters take, by the C library's tables, whatever locale this program runs
/// in.
class Cells {
 public:
  Cells() : before_(::uselocale(unicode())) {}
  Cells(const Cells&) = delete;
  Cells& operator=(const Cells&) = delete;
  ~Cells() { ::uselocale(before_); }

  std::size_t operator()(char32_t c) const {
    if (c < 0x300) return 1;
    const int width = ::wcwidth(static_cast<wchar_t>(c));
    return width < 0 ? 1 : static_cast<std::size_t>(width);
  }

 private:
  /// Null where the C library lacks it: then the thread's stays.
  static locale_t unicode() {
    static const locale_t kUnicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kUnicode;
  }
  locale_t before_;
};

/// The byte at which `text`'s first `width` columns end; one character at least.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  const Cells cells;
  std::size_t at = 0;
  for (std::size_t used = 0; at < text.size();) {
    const CodePoint point = decode(text.substr(at));
    used += cells(point.value);
    if (used > width && at != 0) break;
    at += point.length;
  }
  return at;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    result += point.valid ? text.substr(0, point.length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(point.length);
  }
  return result;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (!point.valid) {
      result += spelled(byte_at(text, 0));
    } else if (steers_or_hides(point.value)) {
      result += spelled(point.value);
    } else {
      result += text.substr(0, point.length);
    }
    text.remove_prefix(point.length);
  }
  return result;
}

std::vector<std::string> printable_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(printable(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::size_t columns(std::string_view text) {
  const Cells cells;
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text.substr(at));
    count += cells(point.value);
    at += point.length;
  }
  return count;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  std::vector<std::string> lines;
  for (std::size_t limit = bytes_of(text, width); limit < text.size(); limit = bytes_of(text, width)) {
    const std::size_t space = text.rfind(' ', limit);
    const bool at_space = space != std::string_view::npos && space > 0;
    lines.emplace_back(text.substr(0, at_space ? space : limit));
    text.remove_prefix(at_space ? space + 1 : limit);
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

bool glob_matches(std::string_view glob, std::string_view text) {
  // Where a text does not fit, the last star takes one character more: no recursion, whatever the glob.
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      taken = i;
    } else if (at < glob.size() && glob[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++taken;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at) == std::string_view::npos;
}

bool is_host_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kLongest) return false;
  std::size_t label = 0;
  for (const char letter : text) {
    if (letter == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool allowed =
        std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_';
    if (!allowed || ++label > kLongestLabel) return false;
  }
  return label != 0;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool matches(std::string_view pattern, std::string_view text) {
  const bool exclude = pattern.starts_with('!');
  if (exclude) pattern.remove_prefix(1);
  if (pattern.empty()) return true;
  return (lower(text).find(lower(pattern)) != std::string::npos) != exclude;
}

}  // namespace plumbline
