#include "harness/network/discovery/locate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"
#include "harness/base/text.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/discovery/locate_container.hpp"
#include "harness/network/discovery/resolv_conf.hpp"

namespace plumbline::network {
namespace {

constexpr const char* kAsRoot = "run it as root: only root may look into the namespaces of others";

bool refused(int error) {
  return error == EACCES || error == EPERM;
}

/// Opening anything else than a namespace (a FIFO) might wait.
bool is_namespace(const std::string& path) {
  struct statfs system {};
  return ::statfs(path.c_str(), &system) == 0 && system.f_type == NSFS_MAGIC;
}

std::vector<std::string> names_of_namespaces() {
  std::vector<std::string> names;
  std::error_code problem;
  std::filesystem::directory_iterator entry(kernel::kNetnsDirectory, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

[[noreturn]] void fail_unnamed(const std::string& name) {
  const std::vector<std::string> names = names_of_namespaces();
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string_view near = nearest(name, words);
  throw Error(
      fmt::format("there is no network namespace '{}' in {}{}", printable(name), kernel::kNetnsDirectory,
                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
      ErrorKind::usage)
      .with_remedy("ip netns list shows those that have a name; of others, name a process: {pid: N}");
}

ResolvConf resolv_conf_of_name(const std::string& name) {
  const std::string own = fmt::format("/etc/netns/{}/resolv.conf", name);
  const bool has_own = !name.empty() && ::access(own.c_str(), F_OK) == 0;
  return read_resolv_conf(has_own ? own : "/etc/resolv.conf");
}

Located located(kernel::Netns netns, pid_t pid, ResolvConf read) {
  return {std::move(netns), pid, std::move(read.servers), std::move(read.unread)};
}

pid_t parse_pid(const std::string& text) {
  pid_t pid = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, pid);
  if (problem != std::errc{} || rest != end || pid <= 0) {
    throw Error(fmt::format("'{}' is no process number", printable(text)), ErrorKind::usage);
  }
  return pid;
}

}  // namespace

const char* to_text(Locator::Kind kind) noexcept {
  switch (kind) {
    case Locator::Kind::self:
    case Locator::Kind::netns:
      return "netns";
    case Locator::Kind::pid:
      return "pid";
    case Locator::Kind::docker:
      return "docker";
    case Locator::Kind::podman:
      break;
  }
  return "podman";
}

std::string to_string(const Locator& locator) {
  const bool self = locator.kind == Locator::Kind::self;
  return fmt::format("{} {}", to_text(locator.kind), self ? "self" : printable(locator.value));
}

EngineSockets default_sockets() {
  EngineSockets sockets{"/run/docker.sock", "/run/podman/podman.sock"};
  constexpr std::string_view kUnix = "unix://";
  const char* host = std::getenv("DOCKER_HOST");
  const std::string_view named = host == nullptr ? "" : host;
  if (named.starts_with(kUnix)) sockets.docker = named.substr(kUnix.size());
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (::geteuid() != 0 && runtime != nullptr && *runtime != '\0') {
    sockets.podman = fmt::format("{}/podman/podman.sock", runtime);
  }
  return sockets;
}

Located locate_process(pid_t pid) {
  // By one descriptor, which stays the process' own, whoever has its number later.
  const Fd process(::open(fmt::format("/proc/{}", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process) throw Error(fmt::format("there is no process {}", pid), ErrorKind::usage);
  const std::string network = fmt::format("/proc/self/fd/{}/ns/net", process.get());
  try {
    kernel::Netns netns = kernel::Netns::open(network);
    const Fd root(::openat(process.get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return located(std::move(netns), pid, {{}, std::generic_category().message(errno)});
    return located(std::move(netns), pid, read_resolv_conf(root, "etc/resolv.conf"));
  } catch (const Error& error) {
    if (refused(error.error_number())) {
      throw Error(
          fmt::format("process {} belongs to somebody else: its network namespace may not be opened", pid),
          ErrorKind::environment, error.error_number())
          .with_remedy(kAsRoot);
    }
    if (error.kind() == ErrorKind::environment) throw;
    throw Error(fmt::format("process {} has ended", pid), ErrorKind::usage, error.error_number());
  }
}

Located locate_named(const std::string& name_or_path) {
  const bool is_path = name_or_path.starts_with('/');
  if (!is_path && (name_or_path.empty() || name_or_path.find('/') != std::string::npos ||
                   name_or_path == "." || name_or_path == "..")) {
    throw Error(fmt::format("'{}' is neither a name nor an absolute path", printable(name_or_path)),
                ErrorKind::usage);
  }
  const std::filesystem::path path = is_path ? std::filesystem::path(name_or_path)
                                             : std::filesystem::path(kernel::kNetnsDirectory) / name_or_path;
  if (!is_namespace(path)) {
    if (errno == EACCES) {
      throw Error(fmt::format("{} may not be looked at", printable(path.string())), ErrorKind::environment,
                  EACCES)
          .with_remedy(kAsRoot);
    }
    if (!is_path) fail_unnamed(name_or_path);
    throw Error(fmt::format("{} is no network namespace", printable(name_or_path)), ErrorKind::usage);
  }
  const bool named = path.parent_path() == kernel::kNetnsDirectory || path.parent_path() == "/var/run/netns";
  return located(kernel::Netns::open(path), 0, resolv_conf_of_name(named ? path.filename() : ""));
}

boost::asio::awaitable<Located> locate(Locator locator, EngineSockets sockets) {
  switch (locator.kind) {
    case Locator::Kind::self:
      co_return located(kernel::Netns::current(), 0, read_resolv_conf("/etc/resolv.conf"));
    case Locator::Kind::netns:
      co_return locate_named(locator.value);
    case Locator::Kind::pid:
      co_return locate_process(parse_pid(locator.value));
    case Locator::Kind::docker:
    case Locator::Kind::podman:
      break;
  }
  const bool docker = locator.kind == Locator::Kind::docker;
  std::string socket = docker ? std::move(sockets.docker) : std::move(sockets.podman);
  co_return co_await locate_container(locator.kind, std::move(socket), std::move(locator.value));
}

}  // namespace plumbline::network
