#include "harness/base/error.hpp"

#include <system_error>
#include <utility>

namespace plumbline {

Error::Error(const std::string& message, ErrorKind kind, int error_number)
    : std::runtime_error(message), kind_(kind), error_number_(error_number) {}

Error Error::from_errno(int error_number, const std::string& attempted, const std::string& detail) {
  std::string text = attempted + ": ";
  const std::string name = std::generic_category().message(error_number);
  text += detail.empty() ? name : detail + " (" + name + ")";
  return Error(text, ErrorKind::internal, error_number);
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
