#include "harness/engine/check/kernel_error.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <vector>

namespace plumbline::engine {
namespace {

struct Word {
  int number;
  std::string_view text;
};
constexpr std::array<Word, 5> kWords{{{ENETUNREACH, "network unreachable"},
                                      {EHOSTUNREACH, "host unreachable"},
                                      {EACCES, "permission denied"},
                                      {EINVAL, "invalid argument"},
                                      {EPERM, "operation not permitted"}}};

}  // namespace

std::string kernel_error_text(int error_number) {
  for (const Word& word : kWords) {
    if (word.number == error_number) return std::string(word.text);
  }
  return std::generic_category().message(error_number);
}

int read_kernel_error(const spec::Value& value) {
  std::vector<std::string_view> words;
  for (const Word& word : kWords) {
    if (value.kind == spec::Value::Kind::scalar &&
        value.text == std::generic_category().message(word.number)) {
      return word.number;
    }
    words.push_back(word.text);
  }
  return kWords.at(value.as_word("error", words)).number;
}

}  // namespace plumbline::engine
