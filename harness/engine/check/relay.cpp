#include "harness/engine/check/relay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "harness/engine/check/tcp_connections.hpp"

namespace plumbline::engine {
namespace {

namespace fs = std::filesystem;

/// Its server may still have to hear that the client takes it for established.
bool stands(const TcpConnection& connection) {
  return connection.state != TcpConnection::State::other;
}

std::vector<TcpConnection> standing(const kernel::Netns& netns) {
  std::vector<TcpConnection> all = tcp_connections(netns);
  std::erase_if(all, [](const TcpConnection& each) { return !stands(each); });
  return all;
}

/// "socket:[4711]" of each that a process holds; none of one that may not be looked at.
std::set<std::string> sockets_of(const fs::path& process) {
  std::set<std::string> held;
  std::error_code hidden;
  fs::directory_iterator file(process / "fd", hidden);
  for (; !hidden && file != fs::directory_iterator(); file.increment(hidden)) {
    std::error_code gone;
    const std::string what = fs::read_symlink(file->path(), gone).string();
    if (what.starts_with("socket:[")) held.insert(what);
  }
  return held;
}

std::string text_of(std::uint64_t inode) {
  return fmt::format("socket:[{}]", inode);
}

struct Owner {
  pid_t pid = 0;
  std::set<std::string> sockets;
};

/// The process that holds both sockets. Absent: none that may be looked at.
std::optional<Owner> owner_of(std::uint64_t one, std::uint64_t other) {
  std::error_code problem;
  fs::directory_iterator process("/proc", problem);
  for (; !problem && process != fs::directory_iterator(); process.increment(problem)) {
    const std::string name = process->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::set<std::string> held = sockets_of(process->path());
    if (held.contains(text_of(one)) && held.contains(text_of(other)))
      return Owner{std::atoi(name.c_str()), std::move(held)};
  }
  return std::nullopt;
}

std::string program_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

RelaySearch::RelaySearch(const kernel::Netns& taken_in, const kernel::Netns& server_in,
                         std::uint16_t server_port)
    : taken_in_(taken_in), server_in_(server_in), server_port_(server_port) {
  for (const TcpConnection& each : standing(taken_in_)) before_.insert(each.inode);
}

bool RelaySearch::look_again(std::uint16_t client_port, std::uint16_t port) {
  const std::vector<TcpConnection> here = standing(taken_in_);
  const auto taken = std::ranges::find_if(here, [&](const TcpConnection& each) {
    return each.local_port == port && each.remote_port == client_port;
  });
  if (taken == here.end()) return false;  // somebody else has it: a rule led it on
  if (taken->inode == 0) return true;     // not accepted yet
  std::vector<TcpConnection> fresh;
  std::ranges::copy_if(here, std::back_inserter(fresh), [&](const TcpConnection& each) {
    return each.remote_port == server_port_ && each.inode != 0 && !before_.contains(each.inode);
  });
  if (fresh.empty()) return true;
  const std::vector<TcpConnection> there = standing(server_in_);
  for (const TcpConnection& each : fresh) {
    const bool arrived = std::ranges::any_of(there, [&](const TcpConnection& server) {
      return server.local == each.remote && server.local_port == each.remote_port &&
             server.remote == each.local && server.remote_port == each.local_port;
    });
    const auto owner = arrived ? owner_of(taken->inode, each.inode) : std::nullopt;
    if (!owner) continue;
    // One that is at work for others too may have made this one for them.
    const auto its_new = std::ranges::count_if(here, [&](const TcpConnection& one) {
      return !before_.contains(one.inode) && owner->sockets.contains(text_of(one.inode));
    });
    if (its_new == 2) found_ = Relay{owner->pid, program_of(owner->pid), each.local};
    return false;
  }
  return true;
}

boost::asio::awaitable<void> RelaySearch::look(std::uint16_t client_port, std::uint16_t port,
                                               std::chrono::milliseconds at_most) {
  constexpr std::chrono::milliseconds kAgain{10};  // the kernel tells nobody of the sockets of others
  const auto until = std::chrono::steady_clock::now() + at_most;
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor);
  while (look_again(client_port, port) && std::chrono::steady_clock::now() < until) {
    timer.expires_after(kAgain);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace plumbline::engine
