#include "harness/base/fd.hpp"

#include <unistd.h>

namespace plumbline {

void Fd::reset() noexcept {
  // EINTR still releases the descriptor on Linux (close(2)), so the result is of no use here.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace plumbline
