#include "harness/engine/report/markup.hpp"

#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\xef':
        // U+FFFE and U+FFFF are no characters of XML's.
        if (text.substr(i, 3) == "\xef\xbf\xbe" || text.substr(i, 3) == "\xef\xbf\xbf") {
          out += "\xef\xbf\xbd";
          i += 2;
          break;
        }
        [[fallthrough]];
      default:
        out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string markup(std::string_view text) {
  return escaped(printable(text));
}

std::string markup_lines(std::string_view text) {
  std::string out;
  for (const std::string& line : printable_lines(text)) out += escaped(line) + "\n";
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace plumbline::engine
