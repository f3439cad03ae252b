#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "harness/engine/spec/source_text.hpp"
#include "harness/engine/spec/value.hpp"
#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

constexpr std::size_t kDeepest = 64;
/// Of all values together, aliases expanded: a short file must not become gigabytes.
constexpr std::size_t kMostText = 4 * kLargestFile;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

using File = std::shared_ptr<const std::string>;

/// A value with what it costs.
struct Built {
  Value value;
  std::size_t values = 1;
  std::size_t bytes = 0;
  std::size_t height = 0;  ///< levels of lists and mappings, itself included
};

/// A list or mapping that is still open.
struct Frame {
  Built built;
  YAML::anchor_t anchor = YAML::NullAnchor;
  bool has_key = false;
  std::string key;
  Mark key_mark;
  std::map<std::string, std::size_t, std::less<>> lines;  ///< of the keys so far
};

/// Makes the tree while yaml-cpp reads, so that limits hold before memory is spent.
class TreeMaker final : public YAML::EventHandler {
 public:
  TreeMaker(File file, std::string_view source) : file_(std::move(file)), source_(source) {}

  bool has_root() const { return has_root_; }
  Value take() { return std::move(root_); }
  /// Where the innermost list or mapping that is still open began.
  const Value* innermost() const { return stack_.empty() ? nullptr : &stack_.back().built.value; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw SpecError(place(mark), "a second document begins here; a file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(mark, Value::Kind::null), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    check_tag(mark, tag);
    if (tag == "!") check_quotes(mark);
    Built built = make(mark, Value::Kind::scalar);
    built.value.text = text;
    built.value.quoted = tag == "!";  // how yaml-cpp marks all that is not a plain scalar
    built.bytes = text.size();
    finish(std::move(built), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw SpecError(place(mark), "an alias stands inside its own anchor");
    check_depth(place(mark), found->second.height);
    spend(place(mark), found->second);
    put(found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Kind::mapping);
  }
  void OnMapEnd() override { close(); }

  Mark place(const YAML::Mark& mark) const {
    const auto from_zero = [](int n) { return static_cast<std::size_t>(std::max(n, 0)) + 1; };
    return {file_, from_zero(mark.line), from_zero(mark.column)};
  }

 private:
  Built make(const YAML::Mark& mark, Value::Kind kind) const {
    Built built;
    built.value.kind = kind;
    built.value.mark = place(mark);
    return built;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw SpecError(place(mark),
                    fmt::format("the tag {} is not understood here: leave it out", in_quotes(tag)));
  }

  /// yaml-cpp takes the end of the file for a closing quote, and so would swallow all that follows an open
  /// one.
  void check_quotes(const YAML::Mark& mark) const {
    std::string_view rest =
        source_.substr(std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), source_.size()));
    while (!rest.empty() &&
           (rest.front() == '&' || rest.front() == '!')) {  // an anchor or tag before the text
      rest.remove_prefix(std::min(rest.find_first_of(" \t\r\n"), rest.size()));
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    }
    if (rest.empty() || (rest.front() != '"' && rest.front() != '\'')) return;
    const char quote = rest.front();
    for (std::size_t i = 1; i < rest.size(); ++i) {
      const bool doubled = quote == '\'' && i + 1 < rest.size() && rest[i] == quote && rest[i + 1] == quote;
      if (doubled || (quote == '"' && rest[i] == '\\')) {
        ++i;
      } else if (rest[i] == quote) {
        return;
      }
    }
    throw SpecError(place(mark), "the quote that opens here is never closed");
  }

  void check_depth(const Mark& mark, std::size_t height) const {
    if (stack_.size() + height <= kDeepest) return;
    throw SpecError(mark, fmt::format("lists and mappings are nested more than {} levels deep", kDeepest));
  }

  void spend(const Mark& mark, const Built& built) {
    values_ += built.values;
    bytes_ += built.bytes;
    if (values_ > kMostValues) {
      throw SpecError(mark,
                      fmt::format("there are too many values: at most {}, aliases expanded", kMostValues));
    }
    if (bytes_ > kMostText) {
      throw SpecError(
          mark, fmt::format("there is too much text: at most {} MiB, aliases expanded", kMostText >> 20U));
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    check_tag(mark, tag);
    check_depth(place(mark), 1);
    Frame frame;
    frame.built = make(mark, kind);
    frame.built.height = 1;
    frame.anchor = anchor;
    spend(frame.built.value.mark, frame.built);
    stack_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    keep(frame.built, frame.anchor);
    put(std::move(frame.built));
  }

  void finish(Built built, YAML::anchor_t anchor) {
    spend(built.value.mark, built);
    keep(built, anchor);
    put(std::move(built));
  }

  /// An anchored value is kept for its aliases: a copy, which costs as much as the value itself.
  void keep(const Built& built, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    spend(built.value.mark, built);
    anchors_.emplace(anchor, built);
  }

  void put(Built built) {
    if (stack_.empty()) {
      root_ = std::move(built.value);
      has_root_ = true;
      return;
    }
    Frame& frame = stack_.back();
    if (frame.built.value.kind == Value::Kind::mapping && !frame.has_key)
      return put_key(frame, std::move(built));
    frame.built.values += built.values;
    frame.built.bytes += built.bytes;
    frame.built.height = std::max(frame.built.height, built.height + 1);
    if (frame.built.value.kind == Value::Kind::sequence) {
      frame.built.value.items.push_back(std::move(built.value));
      return;
    }
    // yaml-cpp places an absent value at whatever comes next; its key tells the reader more.
    if (built.value.kind == Value::Kind::null) built.value.mark = frame.key_mark;
    frame.built.value.entries.push_back({std::move(frame.key), frame.key_mark, std::move(built.value)});
    frame.has_key = false;
  }

  static void put_key(Frame& frame, Built built) {
    if (built.value.kind != Value::Kind::scalar) built.value.fail("a key must be text");
    const auto [before, fresh] = frame.lines.emplace(built.value.text, built.value.mark.line);
    if (!fresh) {
      built.value.fail(fmt::format("the key {} stands twice; the first is at line {}",
                                   in_quotes(built.value.text), before->second));
    }
    frame.built.bytes += built.bytes;
    frame.built.values += 1;
    frame.key = std::move(built.value.text);
    frame.key_mark = built.value.mark;
    frame.has_key = true;
  }

  File file_;
  std::string_view source_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Built> anchors_;
  Value root_;
  bool has_root_ = false;
  std::size_t documents_ = 0;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
};

/// yaml-cpp's words for what people get wrong most, said so that they can mend it.
std::string plain_words(const std::string& message, const Value* open) {
  using namespace YAML::ErrorMsg;  // NOLINT(google-build-using-namespace)
  const std::string where =
      open == nullptr ? "" : fmt::format(" (the one open here began at line {})", open->mark.line);
  if (message == END_OF_SEQ_FLOW) return "expected ',' or ']' in a list in brackets" + where;
  if (message == END_OF_MAP_FLOW) return "expected ',' or '}' in a mapping in braces" + where;
  if (message == END_OF_MAP)
    return "expected another key of the mapping at the same indentation, or its end" + where;
  if (message == END_OF_SEQ)
    return "expected another '- ' item at the same indentation, or the list's end" + where;
  if (message == MAP_VALUE) {
    return "a ':' is not expected here: check the indentation of this line and the one above, and quote text "
           "that "
           "holds ': '";
  }
  if (message == MAP_KEY) return "a key is not expected here: check the indentation";
  if (message == BLOCK_ENTRY) return "a '- ' item is not expected here: check the indentation";
  if (message == EOF_IN_SCALAR) return "the file ends inside quotes: the closing quote is missing";
  if (message == FLOW_END) return "a closing bracket or brace without an opening one";
  if (message == UNKNOWN_TOKEN) return "a value cannot begin with this character: quote the text";
  if (message == TAB_IN_INDENTATION) return "a tab stands where spaces must indent: replace it by spaces";
  if (message == UNKNOWN_ANCHOR) return "this alias names no anchor (&…) above it";
  if (message == BAD_FILE)
    return fmt::format("lists and mappings are nested more than {} levels deep", kDeepest);
  return "this is not YAML: " + message;
}

}  // namespace

Value parse_yaml(std::string_view text, const std::string& file) {
  const auto name = std::make_shared<const std::string>(file);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  check_source(text, name);
  TreeMaker maker(name, text);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(maker)) {  // ends: each turn eats text, and a second document throws
    }
  } catch (const YAML::Exception& problem) {
    throw SpecError(maker.place(problem.mark), plain_words(problem.msg, maker.innermost()));
  }
  Value root = maker.take();
  if (!maker.has_root() || root.kind == Value::Kind::null) {
    throw SpecError(Mark{name, 1, 1}, "the file is empty; expected YAML that begins with 'version: 1'");
  }
  return root;
}

Value load_yaml(const std::string& path) {
  return parse_yaml(read_source(path), path);
}

}  // namespace plumbline::spec
