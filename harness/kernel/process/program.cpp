#include "harness/kernel/process/program.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string_view>

#include "harness/base/text.hpp"

namespace plumbline::kernel {
namespace {

constexpr std::size_t kLongestFirstLine = 256;  // BINPRM_BUF_SIZE: what the kernel looks at

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string search_path(const Command& command) {
  const auto added = command.environment.find("PATH");
  if (added != command.environment.end()) return added->second;
  const char* own = std::getenv("PATH");
  return own != nullptr ? own : "/usr/local/bin:/usr/bin:/bin";
}

/// The first file of that name in the folders of `folders`, one that may be executed before any that may not.
std::optional<std::string> find_in(std::string_view folders, const std::string& name) {
  std::optional<std::string> there;
  for (std::size_t start = 0; start <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', start), folders.size());
    const std::string path = fmt::format("{}/{}", folders.substr(start, end - start), name);
    start = end + 1;
    if (path.front() != '/' || !is_file(path)) continue;
    if (::access(path.c_str(), X_OK) == 0) return path;
    if (!there) there = path;
  }
  return there;
}

Error refused(const std::string& path, const std::string& why, int error_number) {
  return Error(fmt::format("starting {}: {}", printable(path), why), ErrorKind::usage, error_number);
}

/// Behind the "#!" of a script's first line; absent: it is none.
std::optional<std::string> interpreter_of(const std::string& path) {
  std::ifstream file(path);
  std::string head(kLongestFirstLine, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (head.compare(0, 2, "#!") != 0) return std::nullopt;
  std::string line = head.substr(2, head.find('\n') == std::string::npos ? head.size() : head.find('\n') - 2);
  line.erase(0, line.find_first_not_of(" \t"));
  return line.substr(0, line.find_first_of(" \t"));
}

/// The file is there, and yet execve said that something was not.
Error without_interpreter(const std::string& path, int error_number) {
  const auto interpreter = interpreter_of(path);
  if (!interpreter) {
    return refused(path, "the loader that it was linked for is not there", error_number)
        .with_remedy("use a build of it for this system");
  }
  if (!interpreter->empty() && interpreter->back() == '\r') {
    return refused(path, "its first line ends with a carriage return", error_number)
        .with_remedy(fmt::format("give it Unix line ends: sed -i 's/\\r$//' {}", printable(path)));
  }
  return refused(path, fmt::format("its interpreter {} is not there", printable(*interpreter)), error_number)
      .with_remedy("correct its first line, or install the interpreter");
}

Error not_permitted(const std::string& path, int error_number) {
  if (is_folder(path)) {
    return refused(path, "it is a folder", error_number).with_remedy("name a program or script in it");
  }
  struct statvfs system {};
  if (::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0) {
    return refused(path, "nothing may be executed on its file system (noexec)", error_number)
        .with_remedy("put it elsewhere, or mount that file system without noexec");
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
    return refused(path, "it is not executable", error_number)
        .with_remedy(fmt::format("chmod +x {}", printable(path)));
  }
  if (const auto interpreter = interpreter_of(path); interpreter && is_folder(*interpreter)) {
    return refused(path, fmt::format("its interpreter {} is a folder", printable(*interpreter)), error_number)
        .with_remedy("correct its first line");
  }
  return refused(path, "this user may not execute it, its interpreter or a folder on the way", error_number)
      .with_remedy("look at the permissions that namei -l shows");
}

}  // namespace

std::string program_path(const Command& command) {
  if (command.argv.empty() || command.argv.front().empty()) {
    throw Error("starting a program: none is named", ErrorKind::usage);
  }
  const std::string& name = command.argv.front();
  if (name.front() == '/') return name;
  if (name.find('/') != std::string::npos) {
    return command.directory.empty() ? name : fmt::format("{}/{}", command.directory, name);
  }
  const std::string folders = search_path(command);
  if (auto found = find_in(folders, name)) return *found;
  throw refused(name, fmt::format("not found in PATH ({})", printable(folders)), ENOENT)
      .with_remedy("install it, or name it by its path");
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    if (!command.environment.contains(std::string(entry.substr(0, entry.find('='))))) all.emplace_back(entry);
  }
  for (const auto& [name, value] : command.environment) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

Error start_refused(const std::string& path, int error_number) {
  switch (error_number) {
    case ENOENT:
      if (is_file(path)) return without_interpreter(path, error_number);
      return refused(path, "there is no such file", error_number).with_remedy("correct its name");
    case EACCES:
      return not_permitted(path, error_number);
    case ENOEXEC:
      return refused(path, "it is neither a program for this machine nor a script with a first line #!…",
                     error_number)
          .with_remedy("begin it with a line such as #!/bin/sh");
    case ETXTBSY:
      return refused(path, "it is open for writing", error_number).with_remedy("close it first");
    default:
      break;
  }
  const Error error = Error::from_errno(error_number, "starting " + printable(path));
  return error.kind() == ErrorKind::internal ? error.with_kind(ErrorKind::usage) : error;
}

}  // namespace plumbline::kernel
