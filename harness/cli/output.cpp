#include "harness/cli/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/scope_exit.hpp"

namespace plumbline::cli {
namespace {

namespace fs = std::filesystem;

Error cannot(const std::string& attempted, int error_number) {
  return Error::from_errno(error_number, attempted).with_kind(ErrorKind::usage);
}

/// Traces are written inside sandboxes. There /run is a file system of its own that ends with it. It shows
/// the folders and files that the old one held (but for netns and mount), so only what would be made beside
/// them is lost.
bool would_be_lost(const fs::path& absolute) {
  std::error_code problem;
  fs::path there = fs::weakly_canonical(absolute, problem);
  if (problem) return false;  // the trial that follows says why
  const fs::path below = there.lexically_relative("/run");
  if (!below.empty() && (*below.begin() == "netns" || *below.begin() == "mount")) return true;
  while (there.has_relative_path() && !fs::exists(there, problem)) there = there.parent_path();
  return there == "/run";
}

void refuse_run(const std::string& path) {
  std::error_code problem;
  const fs::path absolute = fs::absolute(path, problem);
  if (problem || !would_be_lost(absolute)) return;
  throw Error(fmt::format("{}: made in /run it would be lost: the sandbox has a /run of its own", path),
              ErrorKind::usage)
      .with_remedy("choose another folder");
}

/// The folder that is to hold `path`.
std::string folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

/// Nothing says why it cannot be made: whoever opens a file in it hears of it.
void make_folder_of(const std::string& path) {
  std::error_code ignored;
  fs::create_directories(folder_of(path), ignored);
}

/// `file`, which takes the place of `old`, is to be read by whoever could read that, and by nobody else.
/// False where that cannot be had.
bool has_owner_and_mode_of(const Fd& file, const char* old) {
  struct stat status {};
  if (::stat(old, &status) != 0) {
    if (errno != ENOENT) return false;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return ::fchmod(file.get(), 0666 & ~mask) == 0;
  }
  if (::getxattr(old, "system.posix_acl_access", nullptr, 0) > 0) return false;
  struct stat own {};
  if (::fstat(file.get(), &own) != 0) return false;
  const bool is_theirs = own.st_uid != status.st_uid || own.st_gid != status.st_gid;
  if (is_theirs && ::fchown(file.get(), status.st_uid, status.st_gid) != 0) return false;
  return ::fchmod(file.get(), status.st_mode & 07777) == 0;
}

bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/// Waits until a pipe takes PIPE_BUF bytes. A signal that is to end the run ends this too, unless the reader
/// goes on soon: whether it is held back here, so that only a signalfd tells of it, or has a handler, which
/// interrupts the wait. Returns an error number, or 0.
int await_room(int fd) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kGrace(2000);
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ending, number);
  std::array<pollfd, 2> awaited{pollfd{fd, POLLOUT, 0}, pollfd{-1, POLLIN, 0}};
  if (::poll(awaited.data(), 1, 0) == 1) return 0;
  const Fd signals(::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
  awaited[1].fd = signals.get();
  std::optional<Clock::time_point> until;
  for (;;) {
    int timeout = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now());
      timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    const int ready = ::poll(awaited.data(), awaited.size(), timeout);
    if (ready < 0 && errno != EINTR) return errno;
    if (ready == 0) return EINTR;
    if (ready > 0 && awaited[0].revents != 0) return 0;
    if (ready > 0) awaited[1].fd = -1;
    if (!until) until = Clock::now() + kGrace;
  }
}

}  // namespace

Output::Output(std::string name, int fd, Fd owned)
    : name_(std::move(name)), is_pipe_(is_pipe(fd)), fd_(fd), owned_(std::move(owned)) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
}

std::unique_ptr<Output> Output::standard() {
  return std::unique_ptr<Output>(new Output("standard output", STDOUT_FILENO, Fd()));
}

Output::~Output() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

std::unique_ptr<Output> Output::opened(const std::string& path, Fd fd) {
  const int number = fd.get();
  return std::unique_ptr<Output>(new Output(path, number, std::move(fd)));
}

std::unique_ptr<Output> Output::file(const std::string& path) {
  return open(path, O_TRUNC);
}

std::unique_ptr<Output> Output::append(const std::string& path) {
  return open(path, O_APPEND);
}

std::unique_ptr<Output> Output::whole(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return file(path);
  // A link stays one: what it leads to is replaced.
  std::error_code problem;
  const fs::path there = fs::weakly_canonical(path, problem);
  std::unique_ptr<Output> output(new Output(problem ? path : there.string(), -1, Fd()));
  output->in_place_ = false;
  return output;
}

/// Only with the first byte: what is killed before has left nothing behind.
void Output::begin() {
  make_folder_of(name_);
  beside_ = name_ + ".XXXXXX";
  owned_ = Fd(::mkostemp(beside_.data(), O_CLOEXEC));
  if (owned_ && !has_owner_and_mode_of(owned_, name_.c_str())) {
    ::unlink(beside_.c_str());
    owned_.reset();
  }
  if (!owned_) {
    // Also a file that may be written in a folder that may not.
    beside_.clear();
    owned_ = Fd(::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!owned_) error_number_ = errno;
  }
  fd_ = owned_.get();
  in_place_ = true;
}

std::unique_ptr<Output> Output::open(const std::string& path, int flags) {
  make_folder_of(path);
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666));
  if (!fd) throw cannot(path + ": open for writing", errno);
  return opened(path, std::move(fd));
}

bool Output::flush_buffer() {
  if (!in_place_) begin();
  const char* at = pbase();
  while (at < pptr() && error_number_ == 0) {
    std::size_t size = static_cast<std::size_t>(pptr() - at);
    if (is_pipe_) {
      size = std::min<std::size_t>(size, PIPE_BUF);
      error_number_ = await_room(fd_);
      if (error_number_ != 0) break;
    }
    const ssize_t written = ::write(fd_, at, size);
    if (written >= 0) {
      at += written;
    } else if (errno != EINTR) {
      error_number_ = errno;
    }
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return error_number_ == 0;
}

Output::int_type Output::overflow(int_type character) {
  if (!flush_buffer()) return traits_type::eof();
  if (!traits_type::eq_int_type(character, traits_type::eof())) {
    *pptr() = traits_type::to_char_type(character);
    pbump(1);
  }
  return traits_type::not_eof(character);
}

int Output::sync() {
  return flush_buffer() ? 0 : -1;
}

void Output::finish() {
  flush_buffer();
  if (error_number_ != 0 && error_number_ != EPIPE) throw Error::from_errno(error_number_, name_ + ": write");
  if (beside_.empty()) return;
  if (::rename(beside_.c_str(), name_.c_str()) != 0) {
    // What is a mount of its own (a file that a container was given) can only be written where it is.
    std::error_code problem;
    fs::copy_file(beside_, name_, fs::copy_options::overwrite_existing, problem);
    if (problem) throw Error::from_errno(problem.value(), name_ + ": replace");
    ::unlink(beside_.c_str());
  }
  beside_.clear();
}

Fd try_to_write(const std::string& path) {
  const Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (made) {
    ::unlink(path.c_str());
    return {};
  }
  const int why = errno;
  std::error_code ignored;
  if (why == ENOENT && !fs::exists(folder_of(path), ignored)) {
    require_writable_folder(folder_of(path), Writer::this_process);
    return {};
  }
  if (why != EEXIST) throw cannot(path + ": create", why);
  // Without O_NONBLOCK a FIFO would wait here for its reader; ENXIO says that there is none yet.
  Fd there(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!there && errno != ENXIO) throw cannot(path + ": open for writing", errno);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return {};
  if (!there) {
    if (!S_ISFIFO(status.st_mode)) throw cannot(path + ": open for writing", ENXIO);
    spdlog::warn("{}: waiting for somebody who reads it", path);
    there = Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!there) throw cannot(path + ": open for writing", errno);
  }
  const int flags = ::fcntl(there.get(), F_GETFL);
  if (flags < 0 || ::fcntl(there.get(), F_SETFL, flags & ~O_NONBLOCK) != 0)
    throw cannot(path + ": open for writing", errno);
  return there;
}

void require_writable_folder(const std::string& path, Writer writer) {
  if (writer == Writer::sandbox) refuse_run(path);
  std::vector<fs::path> made;
  const ScopeExit remove_made([&made] {
    for (auto folder = made.rbegin(); folder != made.rend(); ++folder) ::rmdir(folder->c_str());
  });
  fs::path folder;
  for (const fs::path& part : fs::path(path)) {
    folder /= part;
    struct stat status {};
    if (::stat(folder.c_str(), &status) == 0) {
      if (!S_ISDIR(status.st_mode)) throw cannot(folder.string() + ": create a folder", ENOTDIR);
    } else if (::mkdir(folder.c_str(), 0777) == 0) {
      made.push_back(folder);
    } else {
      throw cannot(folder.string() + ": create a folder", errno);
    }
  }
  std::string trial = (folder / ".plumbline-XXXXXX").string();
  const Fd file(::mkostemp(trial.data(), O_CLOEXEC));
  if (!file) throw cannot(path + ": create a file in it", errno);
  ::unlink(trial.c_str());
}

}  // namespace plumbline::cli
