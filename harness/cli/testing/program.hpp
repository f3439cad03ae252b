#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// Runs the built program as a user does, for the tests of the command line.
namespace plumbline::cli::testing {

struct Ran {
  int status = -1;  ///< exit status, or 128 + the signal
  std::string out, err;
};

struct Start {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< added to the test's own; "" takes a variable away
  std::string folder;                              ///< working folder; empty: the test's own
  int standard_output = -1;                        ///< a descriptor; -1: gathered in Ran::out
  const char* program = PLUMBLINE_PROGRAM;         ///< path of what is run
  rlim_t descriptors = 0;                          ///< its hard limit of open files; 0: the test's own
  std::function<void()> prepare;                   ///< done by its process before the program begins
};

inline std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

[[noreturn]] inline void become(const Start& start, int out, int err) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (!start.folder.empty() && ::chdir(start.folder.c_str()) != 0) ::_exit(126);
  const rlimit limit{start.descriptors, start.descriptors};
  if (start.descriptors != 0 && ::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(126);
  for (const char* name : {"NO_COLOR", "PLUMBLINE_DATA", "PLUMBLINE_LOG"}) ::unsetenv(name);
  for (const auto& [name, value] : start.environment) {
    if (value.empty()) {
      ::unsetenv(name.c_str());
    } else {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  if (start.prepare) start.prepare();
  std::vector<std::string> words{"plumbline"};
  words.insert(words.end(), start.arguments.begin(), start.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(start.program, argv.data());
  ::_exit(127);
}

/// Output goes to memory files, not to pipes: nothing can block, however much there is.
inline Ran run(const Start& start) {
  const int out = ::memfd_create("out", MFD_CLOEXEC);
  const int err = ::memfd_create("err", MFD_CLOEXEC);
  if (out < 0 || err < 0) throw std::runtime_error("memfd_create failed");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become(start, start.standard_output >= 0 ? start.standard_output : out, err);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  Ran ran{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_all(out), read_all(err)};
  ::close(out);
  ::close(err);
  return ran;
}

inline Ran plumbline(std::vector<std::string> arguments) {
  return run({.arguments = std::move(arguments)});
}

/// The same on a terminal of `columns` columns; what it shows is Ran::out.
inline Ran run_on_terminal(Start start, unsigned short columns) {
  const int display = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (display < 0 || ::grantpt(display) != 0 || ::unlockpt(display) != 0)
    throw std::runtime_error("no pseudoterminal");
  start.standard_output = ::open(::ptsname(display), O_RDWR | O_NOCTTY | O_CLOEXEC);
  winsize size{};
  size.ws_row = 24;
  size.ws_col = columns;
  ::ioctl(display, TIOCSWINSZ, &size);
  std::string shown;
  // A terminal holds 4 KiB: somebody must read while the program writes. The read fails once nobody holds the
  // other end.
  std::thread reader([display, &shown] {
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(display, buffer, sizeof buffer)) > 0;) {
      shown.append(buffer, static_cast<std::size_t>(got));
    }
  });
  Ran ran = run(start);
  ::close(start.standard_output);
  reader.join();
  ::close(display);
  ran.out = shown;
  return ran;
}

/// The program while it runs. Its standard error is read line by line, for what it logs
/// (PLUMBLINE_LOG=debug).
class Running {
 public:
  explicit Running(const Start& start) : out_(::memfd_create("out", MFD_CLOEXEC)) {
    int ends[2];
    if (out_ < 0 || ::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    err_ = ::fdopen(ends[0], "r");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) become(start, out_, ends[1]);
    ::close(ends[1]);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    std::fclose(err_);
    ::close(out_);
  }

  pid_t pid() const { return pid_; }
  /// The next line that holds `text`; empty when it has ended without one.
  std::string line_with(const std::string& text) {
    for (std::string line = next_line(); !line.empty(); line = next_line()) {
      if (line.find(text) != std::string::npos) return line;
    }
    return "";
  }
  /// Waits until nobody is left who could write to its standard error, and for its own end.
  Ran wait() {
    while (!next_line().empty()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_all(out_), read_};
  }

 private:
  std::string next_line() {
    std::string line;
    for (int c = 0; (c = std::fgetc(err_)) != EOF;) {
      line.push_back(static_cast<char>(c));
      if (c == '\n') break;
    }
    read_ += line;
    return line;
  }

  int out_;
  std::FILE* err_ = nullptr;
  std::string read_;
  pid_t pid_ = -1;
};

/// A folder of the test's own, gone when it ends.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plumbline-cli-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& name = {}) const { return name.empty() ? path_ : path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  bool empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

inline std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline bool in_ci() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string(ci) == "true";
}

/// Exit status of `script` with `arguments`; 77 when python3 has no jsonschema.
inline int validate(const Folder& folder, const std::string& schema, const std::string& document) {
  const std::string script = folder.write(
      "validate.py",
      "import json, sys\n"
      "try: from jsonschema import Draft202012Validator as V\n"
      "except ImportError: sys.exit(77)\n"
      "schema = json.load(open(sys.argv[1], encoding='utf-8'))\n"
      "V.check_schema(schema)\n"
      "if len(sys.argv) > 2: V(schema).validate(json.load(open(sys.argv[2], encoding='utf-8')))\n");
  const std::string command = "python3 " + script + " " + schema + " " + document;
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace plumbline::cli::testing
