#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <utility>

#include "harness/cli/command.hpp"
#include "harness/cli/look.hpp"
#include "harness/cli/socket_options.hpp"
#include "harness/engine/inference/promises.hpp"
#include "harness/engine/inference/spec_text.hpp"
#include "harness/network/discovery/host.hpp"

namespace plumbline::cli {
namespace {

constexpr int kCannotRun = 3;

struct DiscoverArguments {
  SocketOptions sockets;
  std::string internet;
  engine::InferenceOptions inference;
  bool as_json = false;
};

/// What no host can be reached by: a spec that names it would have probes sent to everybody, or to nobody.
const char* why_no_target(const IpAddress& address) {
  static const Prefix kThisNetwork(IpAddress::v4({}), 8);
  if (address.is_multicast()) return "it is a group's (multicast)";
  if (address.is_loopback()) return "it is the loopback's: each namespace has its own";
  if (address.is_unspecified() || kThisNetwork.contains(address)) return "it is nobody's";
  if (address == IpAddress::v4({255, 255, 255, 255})) return "it is everybody's (broadcast)";
  if (!address.is_v4() && address.is_link_local()) return "it is link-local, and names no link";
  return nullptr;
}

/// "203.0.113.80", "203.0.113.80:443", "[2001:db8::80]:443", "none".
void read_internet(const std::string& text, engine::InferenceOptions& options) {
  if (text.empty()) return;
  if (text == "none") {
    options.no_egress = true;
    return;
  }
  std::string address = text;
  std::string port;
  const std::size_t colon = text.rfind(':');
  if (!IpAddress::parse(text) && colon != std::string::npos) {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  }
  options.internet = IpAddress::parse(address);
  std::uint16_t number = 0;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_port =
      port.empty() || (problem == std::errc{} && end == port.data() + port.size() && number != 0);
  if (!options.internet || !is_port || (colon + 1 == text.size() && !IpAddress::parse(text))) {
    throw Error(fmt::format("--internet {}: expected an address, ADDRESS:PORT or none", text),
                ErrorKind::usage);
  }
  if (const char* why = why_no_target(*options.internet)) {
    throw Error(fmt::format("--internet {}: no host can be reached by that address: {}", text, why),
                ErrorKind::usage);
  }
  if (number != 0) options.internet_port = number;
}

void require_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (is_host_name(name)) continue;
    throw Error(fmt::format("--name '{}': that is not a host name", printable(name)), ErrorKind::usage);
  }
}

int discover(const DiscoverArguments& arguments) {
  engine::InferenceOptions options = arguments.inference;
  read_internet(arguments.internet, options);
  require_names(options.names);
  require_answers(arguments.sockets);
  network::HostSources sources;
  sources.sockets = arguments.sockets.sockets;
  const network::HostView view = look(std::move(sources));
  const std::vector<engine::Promise> promises = engine::infer(view, options);
  print(arguments.as_json ? engine::model_json(view, promises) : engine::spec_text(view, promises));
  return view.blind ? kCannotRun : 0;
}

}  // namespace

Action add_discover(CLI::App& app) {
  CLI::App* command = app.add_subcommand("discover", "This host's container networks, as a spec to edit");
  const auto arguments = std::make_shared<DiscoverArguments>();
  command->add_flag("--json", arguments->as_json,
                    "The model and what is promised of it, as JSON (docs/discover.md)");
  declare(*command, arguments->sockets);
  command
      ->add_option(
          "--internet", arguments->internet,
          "To whom egress is promised: an address, ADDRESS:PORT or none; by default the gateway of the "
          "host's default route")
      ->type_name("ADDRESS");
  command
      ->add_option("--name", arguments->inference.names, "A name that every container's resolver is to know")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->footer(
      "Looks into every network namespace that Docker, Podman, /run/netns, CNI's cache or a process leads "
      "to.\n"
      "Nothing is changed, and no packet is sent.\n\n"
      "Examples:\n"
      "  plumbline discover > host.yaml                                a spec, to edit and to validate\n"
      "  plumbline discover --internet 203.0.113.80:443 --name www.example.test\n\n"
      "Exit status: 0 it looked, whatever it found; 2 the command line is wrong, or an engine that it names "
      "is not "
      "there; 3 this user may not look (run it as root), or such an engine does not answer.\n");
  return [arguments](const Invocation&) { return discover(*arguments); };
}

}  // namespace plumbline::cli
