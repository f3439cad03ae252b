#include "harness/network/topology/ip_bench.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"

namespace plumbline::network::bench {
namespace {

// `ip [-n NODE] -batch -` with `lines` as its input.
void ip_batch(const std::string& node, const std::string& lines) {
  const Fd input(::memfd_create("batch", MFD_CLOEXEC));
  if (!input || ::pwrite(input.get(), lines.data(), lines.size(), 0) != static_cast<ssize_t>(lines.size())) {
    throw Error::from_errno(errno, "writing the batch of ip");
  }
  std::vector<std::string> words{"ip"};
  if (!node.empty()) words.insert(words.end(), {"-n", node});
  words.insert(words.end(), {"-batch", "-"});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, "ip", &actions, nullptr, arguments.data(), ::environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error::from_errno(error, "starting ip");
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    throw Error(fmt::format("ip -batch failed with status {}", status));
  }
}

std::string container_address(std::size_t number) {
  return fmt::format("10.99.{}.{}", (number + 1) / 256, (number + 1) % 256);
}

}  // namespace

void IpBatchNetwork::build(std::size_t containers) {
  containers_ = containers;
  std::string names = "netns add host\n";
  for (std::size_t i = 1; i <= containers; ++i)
    fmt::format_to(std::back_inserter(names), "netns add c{}\n", i);
  ip_batch("", names);
  std::string host =
      "link set lo up\nlink add bridge0 type bridge\nlink set bridge0 up\naddress add 10.99.0.1/16 dev "
      "bridge0\n";
  for (std::size_t i = 1; i <= containers; ++i) {
    fmt::format_to(std::back_inserter(host),
                   "link add port{0} master bridge0 up type veth peer name eth0 netns c{0}\n", i);
  }
  ip_batch("host", host);
  for (std::size_t i = 1; i <= containers; ++i) {
    ip_batch(fmt::format("c{}", i),
             fmt::format("link set lo up\nlink set eth0 up\naddress add {}/16 dev eth0\n"
                         "route add default via 10.99.0.1\n",
                         container_address(i)));
  }
}

void IpBatchNetwork::teardown() {
  std::string names = "netns delete host\n";
  for (std::size_t i = 1; i <= containers_; ++i) {
    fmt::format_to(std::back_inserter(names), "netns delete c{}\n", i);
  }
  ip_batch("", names);
}

}  // namespace plumbline::network::bench
