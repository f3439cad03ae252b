#include "harness/kernel/process/output.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::kernel {
namespace {

constexpr int kRoomInPipe = 1 << 20;  // /proc/sys/fs/pipe-max-size, by default

}  // namespace

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "making a pipe");
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  // So that a daemon whose output nobody reads any more is not held up soon. Refused: it has less room.
  ::fcntl(ends[0], F_SETPIPE_SZ, kRoomInPipe);
  return pipe;
}

Fd file_holding(std::string_view text) {
  Fd file(::memfd_create("standard-input", MFD_CLOEXEC));
  if (!file) throw Error::from_errno(errno, "making a file in memory");
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0 && errno != EINTR) throw Error::from_errno(errno, "writing a file in memory");
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) throw Error::from_errno(errno, "winding back a file in memory");
  return file;
}

Output::Output(const boost::asio::any_io_executor& executor, Fd end) : end_(executor, end.get()) {
  static_cast<void>(end.release());
}

bool Output::read(std::size_t most) {
  std::array<char, 16384> chunk{};
  while (most > 0) {
    const ssize_t got = ::read(end_.native_handle(), chunk.data(), std::min(most, chunk.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) {
      ended_ = true;
      return false;
    }
    tail_.append({chunk.data(), static_cast<std::size_t>(got)});
    most -= static_cast<std::size_t>(got);
  }
  return true;
}

void Output::drain() {
  int waiting = 0;
  if (::ioctl(end_.native_handle(), FIONREAD, &waiting) == 0) read(static_cast<std::size_t>(waiting));
  if (!ended_ && waiting >= 0) read(1);  // sees the end of the output, where it is the end
}

Fd Output::take() {
  Fd taken(end_.release());
  return ended_ ? Fd() : std::move(taken);
}

void Output::close() noexcept {
  boost::system::error_code ignored;
  end_.close(ignored);
}

}  // namespace plumbline::kernel
