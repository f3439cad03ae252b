#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/fd.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/kernel/process/tail.hpp"

namespace plumbline::kernel {

/// Private to this folder.
struct Pipe {
  Fd read;  ///< does not block
  Fd write;
};
/// Throws Error.
Pipe make_pipe();

/// A file in memory that holds `text`, to be read from its beginning: unlike a pipe it takes any length at
/// once, whether anybody reads it or not. Throws Error.
Fd file_holding(std::string_view text);

/// Private to this folder: what a program writes to one of its streams, as far as it was read.
class Output {
 public:
  Output(const boost::asio::any_io_executor& executor, Fd end);

  boost::asio::posix::stream_descriptor& end() noexcept { return end_; }
  /// At most `most` bytes of what is there. False: there is no more to come.
  bool read(std::size_t most);
  /// After the program's end: what it wrote and nobody has read yet. No more than that, for something in the
  /// background may write on.
  void drain();

  std::string text() const { return tail_.text(); }
  /// Empty: everything that held its other end has ended.
  Fd take();
  void close() noexcept;

 private:
  boost::asio::posix::stream_descriptor end_;
  Tail tail_{kLongestOutput};
  bool ended_ = false;
};

}  // namespace plumbline::kernel
