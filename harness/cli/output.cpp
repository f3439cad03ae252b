#include "harness/cli/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
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

}  // namespace

Output::Output(std::string name, int fd, Fd owned)
    : name_(std::move(name)), fd_(fd), owned_(std::move(owned)) {
  setp(buffer_.data(), buffer_.data() + buffer_.size());
}

std::unique_ptr<Output> Output::standard() {
  return std::unique_ptr<Output>(new Output("standard output", STDOUT_FILENO, Fd()));
}

std::unique_ptr<Output> Output::file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd) throw cannot(path + ": open for writing", errno);
  const int number = fd.get();
  return std::unique_ptr<Output>(new Output(path, number, std::move(fd)));
}

bool Output::flush_buffer() {
  const char* at = pbase();
  while (at < pptr() && error_number_ == 0) {
    const ssize_t written = ::write(fd_, at, static_cast<std::size_t>(pptr() - at));
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
}

void require_writable_file(const std::string& path) {
  const Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (made) {
    ::unlink(path.c_str());
    return;
  }
  if (errno != EEXIST) throw cannot(path + ": create", errno);
  // Without O_NONBLOCK a FIFO would wait here for its reader; ENXIO says that there is none yet.
  const Fd there(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!there && errno != ENXIO) throw cannot(path + ": open for writing", errno);
}

void require_writable_folder(const std::string& path) {
  refuse_run(path);
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
