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
  /// What try_to_write() has opened.
  static std::unique_ptr<Output> opened(const std::string& path, Fd fd);
  /// Creates or truncates; a folder that is missing is made. Throws Error of kind usage.
  static std::unique_ptr<Output> file(const std::string& path);
  /// The same, but behind what the file holds.
  static std::unique_ptr<Output> append(const std::string& path);
  /// Whoever reads the file finds the old one or the new one whole: it takes the old one's place at finish(),
  /// with its owner and mode, and nothing is made before the first byte. Where that cannot be (no regular
  /// file, a folder that may not be written, an owner who is another, a mount of its own) it is written in
  /// its place. Throws nothing: try_to_write() has tried it.
  static std::unique_ptr<Output> whole(const std::string& path);

  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() override;

  std::ostream& stream() noexcept { return stream_; }
  /// Writes what is left. Throws Error when anything could not be written (a full disk).
  void finish();

 protected:
  int_type overflow(int_type character) override;
  int sync() override;

 private:
  Output(std::string name, int fd, Fd owned);
  static std::unique_ptr<Output> open(const std::string& path, int flags);
  bool flush_buffer();
  void begin();

  std::string name_;
  std::string beside_;    ///< where it is until it is whole; empty: in its place
  bool in_place_ = true;  ///< false: not begun yet
  bool is_pipe_;
  int fd_;
  Fd owned_;
  int error_number_ = 0;
  std::array<char, 16384> buffer_{};
  std::ostream stream_{this};
};

/// Tries that `path` can be written as a file, in a folder that is made if it is missing, and leaves no trace
/// of the trial. What is no regular file is opened for good, and returned: for a FIFO's reader it would end
/// with the trial. Waits for such a reader, so it must not be called with signals blocked. Throws Error of
/// kind usage.
Fd try_to_write(const std::string& path);
/// Who is to write somewhere. A sandbox has a /run of its own, in which it would be lost.
enum class Writer { sandbox, this_process };
/// Tries that files can be created in folder `path`, itself created where it is missing, and leaves no trace
/// of the trial. Throws Error of kind usage.
void require_writable_folder(const std::string& path, Writer writer = Writer::sandbox);

}  // namespace plumbline::cli
