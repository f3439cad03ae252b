#include "harness/network/cni/plugin.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/network/cni/result.hpp"

namespace plumbline::network::cni {
namespace {

constexpr std::array<std::string_view, 18> kStandard{
    "bandwidth", "bridge",  "dhcp", "dummy", "firewall", "host-device", "host-local", "ipvlan", "loopback",
    "macvlan",   "portmap", "ptp",  "sbr",   "static",   "tap",         "tuning",     "vlan",   "vrf"};

constexpr std::size_t kLongestQuote = 400;  // bytes of what a plugin said

std::string quoted(std::string_view label, std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty()) return {};
  // The end tells more than the beginning.
  const bool long_text = text.size() > kLongestQuote;
  return fmt::format("; its {} ends: {}{}", label, long_text ? "…" : "",
                     printable(long_text ? text.substr(text.size() - kLongestQuote) : text));
}

std::string ending(const kernel::Ended& ended) {
  const double seconds = std::chrono::duration<double>(ended.duration).count();
  if (ended.timed_out) return fmt::format("was not done after {:.3g} s, and was killed", seconds);
  const char* signal = ended.status > 128 ? ::sigdescr_np(ended.status - 128) : nullptr;
  if (signal != nullptr) return fmt::format("died of signal {} ({})", ended.status - 128, signal);
  return fmt::format("ended with exit status {}, without an error in JSON", ended.status);
}

}  // namespace

std::string find_plugin(const std::vector<std::string>& path, const std::string& type) {
  for (const std::string& folder : path) {
    const std::string program = (std::filesystem::path(folder) / type).string();
    std::error_code problem;
    if (std::filesystem::is_regular_file(program, problem) && ::access(program.c_str(), X_OK) == 0) {
      return program;
    }
  }
  return {};
}

std::span<const std::string_view> standard_plugins() {
  return kStandard;
}

std::string package_of(const std::string& type) {
  const bool standard = std::ranges::find(kStandard, type) != kStandard.end();
  return standard ? "containernetworking-plugins" : "";
}

boost::asio::awaitable<std::string> call(const Site& site, const std::string& type,
                                         const std::string& command_name,
                                         const boost::json::object& configuration,
                                         const Attachment& attachment) {
  const std::string what = attachment.container.empty() ? fmt::format("CNI plugin {}, {}", type, command_name)
                                                        : fmt::format("CNI plugin {}, {} of {}", type,
                                                                      command_name, attachment.container);
  const std::string program = find_plugin(site.path, type);
  if (program.empty()) {
    throw Error(fmt::format("{}: it is not in {}", what, fmt::join(site.path, ":")), ErrorKind::setup)
        .with_remedy("install it, or name its folder with 'path:'");
  }
  kernel::Command command;
  command.argv = {program};
  command.directory = "/";
  command.environment = site.environment;
  command.environment["CNI_COMMAND"] = command_name;
  command.environment["CNI_CONTAINERID"] = attachment.container;
  command.environment["CNI_NETNS"] = attachment.netns;
  command.environment["CNI_IFNAME"] = attachment.interface;
  command.environment["CNI_ARGS"] = attachment.arguments;
  command.environment["CNI_PATH"] = fmt::format("{}", fmt::join(site.path, ":"));
  command.netns = site.host;
  command.mounts = site.mounts;
  command.timeout = site.timeout;
  command.input = boost::json::serialize(configuration);
  command.errors_apart = true;
  const kernel::Ended ended = co_await kernel::run(command);
  if (!ended.timed_out && ended.status == 0) co_return ended.output;
  const auto error = ended.timed_out ? std::nullopt : parse_error(ended.output);
  if (error) throw Error(fmt::format("{}: {}", what, error->to_string()), ErrorKind::setup);
  throw Error(fmt::format("{}: it {}{}{}", what, ending(ended), quoted("output", ended.output),
                          quoted("standard error", ended.errors)),
              ErrorKind::setup);
}

}  // namespace plumbline::network::cni
