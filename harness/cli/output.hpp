#pragma once

#include <array>
#include <memory>
#include <ostream>
#include <streambuf>
#include <string>

#include "harness/base/fd.hpp"

namespace plumbline::cli {

/// Text for standard output or a file. A write that fails is remembered with the kernel's own reason, which
/// std::ofstream would lose; a closed pipe is no failure: whoever read from it has seen enough.
class Output : public std::streambuf {
 public:
  static std::unique_ptr<Output> standard();
  /// Creates or truncates. Throws Error of kind usage.
  static std::unique_ptr<Output> file(const std::string& path);

  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() override = default;

  std::ostream& stream() noexcept { return stream_; }
  /// Writes what is left. Throws Error when anything could not be written (a full disk).
  void finish();

 protected:
  int_type overflow(int_type character) override;
  int sync() override;

 private:
  Output(std::string name, int fd, Fd owned);
  bool flush_buffer();

  std::string name_;
  int fd_;
  Fd owned_;
  int error_number_ = 0;
  std::array<char, 16384> buffer_{};
  std::ostream stream_{this};
};

/// Tries that `path` can be written as a file, and leaves no trace of the trial. Throws Error of kind usage.
void require_writable_file(const std::string& path);
/// Tries that files can be created in folder `path`, itself created where it is missing, and leaves no trace
/// of the trial. Throws Error of kind usage.
void require_writable_folder(const std::string& path);

}  // namespace plumbline::cli
