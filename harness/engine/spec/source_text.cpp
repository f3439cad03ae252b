#include "harness/engine/spec/source_text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "harness/base/fd.hpp"
#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

[[noreturn]] void refuse_file(const std::string& path, const std::string& message) {
  throw SpecError(Mark{std::make_shared<const std::string>(path), 1, 1}, message);
}

[[noreturn]] void refuse_unreadable(const std::string& path, int error) {
  refuse_file(path, fmt::format("the file cannot be read: {}", std::generic_category().message(error)));
}

std::string too_large(std::size_t size) {
  return fmt::format("the file is too large: at most {} MiB are read, and it has {:.1f} MiB",
                     kLargestFile >> 20U, static_cast<double>(size) / (1U << 20U));
}

/// Bytes of the well-formed UTF-8 character (RFC 3629) that `text` begins with; 0: it begins with none.
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void check_characters(std::string_view text, const std::shared_ptr<const std::string>& file) {
  Mark mark{file, 1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = character_length(text.substr(i));
    if (length == 0) {
      throw SpecError(mark, fmt::format("byte 0x{:02x} is not UTF-8 text: save the file as UTF-8", byte));
    }
    // YAML 1.2, 5.1: no other control characters. yaml-cpp would take 0x04 for the end of the file.
    const bool control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (control) throw SpecError(mark, fmt::format("the control character 0x{:02x} is not text", byte));
    i += length;
    mark.column += length;
    if (byte == '\n') {
      ++mark.line;
      mark.column = 1;
    }
  }
}

/// Whether a block scalar ("nft: |") follows `line`.
bool opens_block(std::string_view line) {
  const std::size_t end = line.find(" #");
  if (end != std::string_view::npos) line = line.substr(0, end);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
    line.remove_suffix(1);
  while (!line.empty() && std::string_view("+-0123456789").find(line.back()) != std::string_view::npos) {
    line.remove_suffix(1);
  }
  if (line.empty() || (line.back() != '|' && line.back() != '>')) return false;
  return line.size() == 1 || line[line.size() - 2] == ' ';
}

/// Tabs as indentation: yaml-cpp refuses some, misreads others. Inside a block scalar's text a tab is just
/// text.
void check_tabs(std::string_view text, const std::shared_ptr<const std::string>& file) {
  std::optional<std::size_t> block;  // the indentation of the line that opened a block scalar
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    const std::size_t content = line.find_first_not_of(" \t\r");
    if (content == std::string_view::npos) continue;
    const std::size_t spaces = line.find_first_not_of(' ');
    if (block && spaces > *block) continue;
    block.reset();
    if (spaces != content) {
      throw SpecError(Mark{file, number, spaces + 1},
                      "a tab stands where spaces must indent: replace it by spaces");
    }
    if (line[content] != '#' && opens_block(line)) block = spaces;
  }
}

}  // namespace

std::string read_source(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) refuse_unreadable(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) refuse_unreadable(path, errno);
  if (S_ISDIR(status.st_mode)) refuse_file(path, "this is a directory; a YAML file is expected");
  if (S_ISREG(status.st_mode) && static_cast<std::size_t>(status.st_size) > kLargestFile) {
    refuse_file(path, too_large(static_cast<std::size_t>(status.st_size)));
  }
  std::string text;
  std::array<char, 65536> chunk{};
  while (text.size() <= kLargestFile) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse_unreadable(path, errno);
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  refuse_file(path, too_large(text.size()));
}

void check_source(std::string_view text, const std::shared_ptr<const std::string>& file) {
  if (text.size() > kLargestFile) throw SpecError(Mark{file, 1, 1}, too_large(text.size()));
  check_characters(text, file);
  check_tabs(text, file);
}

}  // namespace plumbline::spec
