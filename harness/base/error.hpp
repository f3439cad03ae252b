#pragma once

#include <stdexcept>
#include <string>

namespace plumbline {

/// What exit status an error that ends the run leads to.
enum class ErrorKind {
  usage,        ///< the command line or a spec is wrong: exit 2
  setup,        ///< the setup under test failed (its script, its runtime): exit 1
  environment,  ///< this machine cannot run it (no namespaces, no capability): exit 3
  internal,     ///< anything else: exit 5
};

/// Something cannot go on. `what()` is one line: `while/object: attempted: kernel's text (errno text)`,
/// with context added on the way up by `within`. Of kind setup, lines of a program's output may follow.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::internal, int error_number = 0);

  /// `attempted` failed with `error_number`; `detail` is the kernel's own text (extended ack), if any. Of
  /// kind internal; where the machine has run out of descriptors or memory, of kind environment with the
  /// remedy.
  static Error from_errno(int error_number, const std::string& attempted, const std::string& detail = {});

  int error_number() const noexcept { return error_number_; }
  ErrorKind kind() const noexcept { return kind_; }
  /// What the reader can do about it; empty when nothing is known.
  const std::string& remedy() const noexcept { return remedy_; }

  /// The same error, said to have happened within `context` ("node container-one").
  Error within(const std::string& context) const;
  Error with_remedy(std::string remedy) const;
  Error with_kind(ErrorKind kind) const;

 private:
  ErrorKind kind_;
  int error_number_;
  std::string remedy_;
};

}  // namespace plumbline
