#include "harness/base/error.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace plumbline {

Error::Error(const std::string& message, ErrorKind kind, int error_number)
    : std::runtime_error(message), kind_(kind), error_number_(error_number) {}

Error Error::from_errno(int error_number, const std::string& attempted, const std::string& detail) {
  std::string text = attempted + ": ";
  const std::string name = std::generic_category().message(error_number);
  text += detail.empty() ? name : detail + " (" + name + ")";
  // Wherever it happens, these say that the machine has no more to give, not that the program is wrong.
  const Error error(text, ErrorKind::internal, error_number);
  switch (error_number) {
    case EMFILE:
      return error.with_kind(ErrorKind::environment)
          .with_remedy("raise the limit of open files: ulimit -n 65536 (the hard limit: ulimit -Hn)");
    case ENFILE:
      return error.with_kind(ErrorKind::environment)
          .with_remedy("raise the machine's limit of open files: sysctl fs.file-max");
    case ENOMEM:
    case ENOBUFS:
      return error.with_kind(ErrorKind::environment)
          .with_remedy("free memory, or raise the container's or cgroup's limit of it");
    default:
      return error;
  }
}

Error Error::within(const std::string& context) const {
  Error outer(context + ": " + what(), kind_, error_number_);
  outer.remedy_ = remedy_;
  return outer;
}

Error Error::with_remedy(std::string remedy) const {
  Error copy = *this;
  copy.remedy_ = std::move(remedy);
  return copy;
}

Error Error::with_kind(ErrorKind kind) const {
  Error copy = *this;
  copy.kind_ = kind;
  return copy;
}

}  // namespace plumbline
