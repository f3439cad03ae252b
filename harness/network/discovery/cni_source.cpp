#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/base/text.hpp"
#include "harness/network/discovery/cni_ports.hpp"
#include "harness/network/discovery/json_read.hpp"
#include "harness/network/discovery/source.hpp"

// What CNI's library has cached of each container's attachment (containernetworking/cni, libcni/api.go:
// cachedInfo), and which address its plugin host-local has reserved for whom.
namespace plumbline::network::detail {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kLargest = std::size_t{1} << 20;

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> entries;
  std::error_code problem;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (entries.size() < kMostNamespaces) entries.push_back(entry->path().string());
  }
  std::ranges::sort(entries);
  return entries;
}

/// What Kubernetes and others say of it beside: [["K8S_POD_NAME", "web"], …].
std::string argument(const json::value& cached, std::string_view wanted) {
  for (const json::value& pair : array_at(cached, {"cniArgs"})) {
    const json::array& words = array_at(pair, {});
    if (words.size() == 2 && text_at(words[0], {}) == wanted) return text_at(words[1], {});
  }
  return {};
}

/// The namespace that it was attached to: the first interface that is in one.
std::string sandbox_of(const json::value& cached) {
  for (const json::value& interface : array_at(cached, {"result", "interfaces"})) {
    std::string sandbox = text_at(interface, {"sandbox"});
    if (sandbox.starts_with('/')) return sandbox;
  }
  const std::string netns = text_at(cached, {"netns"});
  return netns.starts_with('/') ? netns : std::string();
}

Membership membership_of(const json::value& cached) {
  Membership membership{"cni", text_at(cached, {"networkName"}), {}};
  for (const json::value& ip : array_at(cached, {"result", "ips"})) {
    if (const auto address = InterfaceAddress::parse(text_at(ip, {"address"}))) {
      membership.addresses.push_back(address->address);
    }
  }
  return membership;
}

NamedNetwork network_of(const json::value& cached) {
  NamedNetwork network;
  network.owner = "cni";
  network.name = text_at(cached, {"networkName"});
  for (const json::value& ip : array_at(cached, {"result", "ips"})) {
    if (const auto address = InterfaceAddress::parse(text_at(ip, {"address"}))) {
      network.subnets.push_back(address->network());
    }
  }
  return network;
}

/// {"config": base64 of its configuration}: `type` of the first plugin would be in there; the kernel says
/// what kind of link it is.
bool add_cached(const std::string& path, Findings& findings) {
  json::error_code problem;
  const json::value cached = json::parse(small_file(path), problem);
  if (problem || text_at(cached, {"kind"}) != "cniCacheV1") {
    findings.notes.push_back({fmt::format("{}: no result of CNI's library", printable(path)), {}});
    return false;
  }
  const std::string sandbox = sandbox_of(cached);
  if (sandbox.empty()) return false;  // it says nothing of a namespace, as results of before 0.3 do
  try {
    Sighting seen{Source::cni, locate_named(sandbox), {}, false};
    const std::string id = text_at(cached, {"containerId"});
    const std::string pod = argument(cached, "K8S_POD_NAME");
    seen.node.name = pod.empty() ? id.substr(0, 12) : pod;
    seen.node.locator = {Locator::Kind::netns, sandbox};
    seen.node.origins = {fmt::format("CNI network {}, container {}",
                                     printable(text_at(cached, {"networkName"})), printable(id))};
    seen.node.memberships = {membership_of(cached)};
    seen.node.ports = cni_ports(cached);
    findings.networks.push_back(network_of(cached));
    findings.sightings.push_back(std::move(seen));
    return true;
  } catch (const Error& error) {
    // The cache outlives containers that were not taken down.
    const std::string stale = error.kind() == ErrorKind::usage ? " (the cache has outlived it)" : "";
    findings.notes.push_back({fmt::format("{}: {}{}", printable(path), error.what(), stale), error.remedy()});
    return false;
  }
}

/// NETWORKS/NAME/ADDRESS for each address; other files there (last_reserved_ip.0, lock) are none.
void add_reservations(const std::string& networks, Findings& findings) {
  for (const std::string& folder : entries_of(networks)) {
    NamedNetwork network;
    network.owner = "cni";
    network.name = fs::path(folder).filename().string();
    std::size_t reserved = 0;
    for (const std::string& file : entries_of(folder)) {
      if (IpAddress::parse(fs::path(file).filename().string())) ++reserved;
    }
    if (reserved == 0) continue;
    findings.looked_at.push_back(
        fmt::format("{}: {} reserved", printable(folder), counted(reserved, "address")));
    findings.networks.push_back(std::move(network));
  }
}

}  // namespace

void look_at_cni(const std::vector<std::string>& folders, const std::string& networks, Findings& findings) {
  for (const std::string& folder : folders) {
    const std::vector<std::string> files = entries_of(folder);
    if (files.empty()) continue;
    std::size_t found = 0;
    for (const std::string& file : files) found += add_cached(file, findings) ? 1U : 0U;
    findings.looked_at.push_back(fmt::format("{}: {}", folder, counted(found, "attachment")));
  }
  add_reservations(networks, findings);
}

std::string counted(std::size_t count, const std::string& thing) {
  const bool hisses = thing.ends_with('s');
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : hisses ? "es" : "s");
}

std::string small_file(const std::string& path) {
  struct stat status {};
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 1; got > 0 && text.size() <= kLargest;) {
    got = ::read(file.get(), chunk.data(), chunk.size());
    if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text.size() > kLargest ? std::string() : text;
}

}  // namespace plumbline::network::detail
