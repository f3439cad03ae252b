#include "harness/engine/mutation/nft_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {
namespace {

/// The parts of "a, b : drop }" up to the brace.
std::vector<std::string> elements_in(std::string_view text) {
  std::vector<std::string> elements;
  std::string element;
  const auto finish = [&] {
    // One that ends at its time is no configuration.
    if (!element.empty() && element.find(" expires ") == std::string::npos) elements.push_back(element);
    element.clear();
  };
  for (const Word& word : words_of(text)) {
    if (word.text == "}") break;
    if (word.text == ",") {
      finish();
      continue;
    }
    if (!element.empty()) element += ' ';
    element += word.text;
  }
  finish();
  return elements;
}

}  // namespace

std::vector<TextSet> parse_sets(std::string_view listing) {
  constexpr std::string_view kElements = "elements = {";
  std::vector<TextSet> sets;
  std::string table;
  std::string body;
  bool inside = false;
  for (const std::string_view line : lines_of(listing)) {
    const std::vector<Word> words = words_of(line);
    if (words.size() >= 3 && line.starts_with("table ")) {
      table = fmt::format("{} {}", words[1].text, words[2].text);
    } else if (words.size() >= 2 && (line.starts_with("\tset ") || line.starts_with("\tmap "))) {
      sets.push_back({fmt::format("{} {}", table, words[1].text), false, {}});
      inside = true;
      body.clear();
    } else if (inside && line == "\t}") {
      inside = false;
      const std::size_t at = body.find(kElements);
      if (at != std::string::npos)
        sets.back().elements = elements_in(std::string_view(body).substr(at + kElements.size()));
    } else if (inside) {
      if (line.starts_with("\t\tflags ") && line.find("interval") != std::string_view::npos)
        sets.back().interval = true;
      body += fmt::format("{}\n", line);
    }
  }
  return sets;
}

}  // namespace plumbline::engine::mutation
