#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/ip.hpp"
#include "harness/base/nearest.hpp"

namespace plumbline::spec {

/// A place in a file; line and column count from 1.
struct Mark {
  std::shared_ptr<const std::string> file;
  std::size_t line = 1;
  std::size_t column = 1;
  std::string to_string() const;  ///< "scenarios/diy.yaml:12:5"
};

/// A spec is wrong: `file:line:column: message`. Exit status 2.
class SpecError : public Error {
 public:
  SpecError(const Mark& mark, const std::string& message);
  const Mark& mark() const noexcept { return mark_; }

 private:
  Mark mark_;
};

/// A YAML document as a plain tree in which every part knows its place. No yaml-cpp type shows.
class Value {
 public:
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };

  struct Entry;  // key and value of a mapping

  Kind kind = Kind::null;
  Mark mark;
  std::string text;            ///< of a scalar
  bool quoted = false;         ///< a scalar in quotes is text, never a number or a boolean
  std::vector<Value> items;    ///< of a sequence
  std::vector<Entry> entries;  ///< of a mapping, in the file's order; no key twice

  [[noreturn]] void fail(const std::string& message) const;  ///< throws SpecError at this place

  // Typed reading; each throws SpecError saying what was expected and what is there.
  const std::string& as_text(std::string_view what) const;
  bool as_bool(std::string_view what) const;
  std::uint64_t as_number(std::string_view what, std::uint64_t least, std::uint64_t most) const;
  IpAddress as_address(std::string_view what) const;
  InterfaceAddress as_interface_address(std::string_view what) const;
  Prefix as_prefix(std::string_view what) const;
  /// One of `words`; the error names the nearest.
  std::size_t as_word(std::string_view what, std::span<const std::string_view> words) const;
  /// A name of a node, interface, bridge: 1 to `longest` characters of [A-Za-z0-9._-], no path separator, not
  /// "." or "..".
  const std::string& as_name(std::string_view what, std::size_t longest) const;
  /// The items of a sequence; a scalar or mapping counts as a sequence of itself.
  std::span<const Value> as_list() const;
  const std::vector<Entry>& as_mapping(std::string_view what) const;

  const Value* find(std::string_view key) const;  ///< in a mapping; null when absent
  const Value& require(std::string_view key, std::string_view what) const;
  /// Throws at the first key that is not in `keys`, naming the nearest and listing those that are allowed.
  void allow_keys(std::string_view what, std::span<const std::string_view> keys) const;
};

struct Value::Entry {
  std::string key;
  Mark mark;
  Value value;
};

/// Limits on what is read, against hostile or accidental giants.
inline constexpr std::size_t kLargestFile = 4U << 20U;  ///< bytes
inline constexpr std::size_t kMostValues = 200'000;     ///< of one document, aliases expanded

/// Parses one document. Throws SpecError for an empty file, a second document, tabs as indentation, duplicate
/// keys, more than the limits, and all that is not YAML; `file` names it in messages.
Value parse_yaml(std::string_view text, const std::string& file);
/// Reads and parses. A missing, unreadable, or too large file is a SpecError at 1:1.
Value load_yaml(const std::string& path);

using plumbline::nearest;

}  // namespace plumbline::spec
