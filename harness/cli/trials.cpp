#include "harness/cli/trials.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>

#include "harness/kernel/counters/counters.hpp"
#include "harness/kernel/drops/drops.hpp"
#include "harness/kernel/iptables_legacy/trace.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/nftables/trace.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::cli {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool exists(const char* path) {
  return ::access(path, F_OK) == 0;
}

Trial kernel_version() {
  utsname name{};
  if (::uname(&name) != 0) return {"kernel", Finding::missing, "uname failed", ""};
  return {"kernel", Finding::ok, fmt::format("{} {} {}", name.sysname, name.release, name.machine), ""};
}

/// The whole range of ids mapped onto itself marks the first user namespace.
bool in_first_user_namespace() {
  std::istringstream map(first_line("/proc/self/uid_map"));
  unsigned long inside = 1;
  unsigned long outside = 1;
  unsigned long count = 0;
  map >> inside >> outside >> count;
  return inside == 0 && outside == 0 && count == 4294967295UL;
}

/// Containers leave these marks; there is no sure way to tell.
std::string container_hint() {
  if (const char* kind = std::getenv("container"); kind != nullptr && *kind != '\0')
    return fmt::format(", in a container ({})", kind);
  if (exists("/.dockerenv")) return ", in a Docker container";
  if (exists("/run/.containerenv")) return ", in a Podman container";
  return "";
}

/// The sandbox of whoever is not privileged is a user namespace in which it is root: two identities.
Trial privileges(const std::string& outside) {
  std::string who = identity();
  if (!outside.empty() && outside != who) who = outside + ", root inside a user namespace";
  return {"privileges", Finding::ok, who + container_hint(), ""};
}

std::optional<std::string> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/" + name;
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(file.c_str(), X_OK) == 0)
      return file;
  }
  return std::nullopt;
}

Trial tool(const std::string& name, const std::string& use, const std::string& package) {
  if (const auto file = find_program(name)) return {name, Finding::ok, *file, ""};
  return {name, Finding::absent, "not in PATH; a run does without, but it " + use,
          "apt-get install " + package};
}

/// One trial: `action` returns the detail, or throws what the kernel said.
template <class Action>
Trial attempt(const std::string& name, const std::string& remedy, Action action) {
  try {
    return {name, Finding::ok, action(), ""};
  } catch (const Error& error) {
    return {name, Finding::missing, error.what(), error.remedy().empty() ? remedy : error.remedy()};
  } catch (const std::exception& error) {
    return {name, Finding::missing, error.what(), remedy};
  }
}

network::Interface cable(const std::string& address, const std::string& to, const std::string& master = {}) {
  network::Interface interface;
  interface.name = "eth0";
  interface.kind = network::LinkKind::veth;
  interface.peer = network::Endpoint{to, "eth0"};
  interface.master = master;
  if (const auto parsed = InterfaceAddress::parse(address)) interface.addresses.push_back(*parsed);
  return interface;
}

network::Node node(const std::string& name, std::vector<network::Interface> interfaces) {
  network::Node made;
  made.name = name;
  made.interfaces = std::move(interfaces);
  return made;
}

/// Builds it, and takes it down again. Its addresses are those for documentation (RFC 5737, RFC 3849).
void build(std::vector<network::Node> nodes) {
  network::LiveNetwork network;
  network.build({std::move(nodes)});
  network.teardown();
}

std::string try_veth() {
  build({node("doctor-a", {cable("192.0.2.1/30", "doctor-b")}),
         node("doctor-b", {cable("192.0.2.2/30", "doctor-a")})});
  return "a pair between two namespaces has its carrier";
}

std::string try_ipv6() {
  build({node("doctor-a", {cable("2001:db8::1/64", "doctor-b")}),
         node("doctor-b", {cable("2001:db8::2/64", "doctor-a")})});
  return "addresses on both ends of a pair are ready";
}

std::string try_bridge() {
  network::Interface bridge;
  bridge.name = "br0";
  bridge.kind = network::LinkKind::bridge;
  build({node("doctor-a", {bridge, cable("", "doctor-b", "br0")}),
         node("doctor-b", {cable("192.0.2.2/30", "doctor-a")})});
  return "a bridge with a port is up";
}

std::string try_capture() {
  const kernel::Netns netns = kernel::Netns::create();
  boost::asio::io_context loop;
  const traffic::Capture capture(loop.get_executor(), {{"doctor", &netns}}, {}, [](const traffic::Frame&) {});
  return "a tap opens inside a namespace";
}

std::string try_nftables() {
  using namespace kernel::nft;
  Rule established{{ConntrackState{.established = true}}, Accept{}, true, "plumbline doctor"};
  Rule reject{{Destination{Prefix(IpAddress::v4({192, 0, 2, 0}), 24)}}, Reject{}, true, ""};
  Rule masquerade{{OutputInterface{"lo"}}, Masquerade{}, true, ""};
  const Chain forward{
      "forward", BaseChain{ChainType::filter, Hook::forward, 0, Policy::drop}, {established, reject}};
  const Chain nat{"nat", BaseChain{ChainType::nat, Hook::postrouting, 100, Policy::accept}, {masquerade}};
  const kernel::Netns netns = kernel::Netns::create();
  apply(netns, {{{Family::ip, "doctor", {forward, nat}}}});
  return "conntrack states, reject and masquerade are accepted";
}

/// A datagram of the namespace to itself, which begins as probes' payloads do.
void send_to_itself(const kernel::Netns& netns) {
  const auto inside = netns.enter();
  boost::asio::io_context loop;
  using boost::asio::ip::udp;
  udp::socket socket(loop, udp::v4());
  constexpr std::string_view payload = "PL doctor";
  socket.send_to(boost::asio::buffer(payload), udp::endpoint(boost::asio::ip::address_v4::loopback(), 9));
}

std::string try_nft_trace() {
  network::LiveNetwork network;
  network.build({{node("doctor-a", {})}});
  const kernel::Netns& netns = network.netns("doctor-a");
  kernel::nft::Trace trace(netns);
  send_to_itself(netns);
  if (trace.take().empty()) throw Error("the kernel reported nothing of a packet");
  return "the kernel reports the hooks and rules that packets meet";
}

std::string try_legacy_trace() {
  const kernel::Netns netns = kernel::Netns::create();
  const kernel::iptables::Trace trace(netns);
  return "iptables-legacy's rules can be reported as well";
}

/// The datagram finds nobody who listens.
std::string try_drop_reasons() {
  network::LiveNetwork network;
  network.build({{node("doctor-a", {})}});
  const kernel::Netns& netns = network.netns("doctor-a");
  kernel::drops::Watch watch({&netns});
  send_to_itself(netns);
  const auto events = watch.take();
  if (events.empty()) throw Error("the kernel told nothing of a packet that it dropped");
  return fmt::format("the kernel names its reason for each drop ({} in {})", events.front().reason,
                     events.front().function);
}

std::string try_counters() {
  network::LiveNetwork network;
  network.build({{node("doctor-a", {})}});
  const kernel::Netns& netns = network.netns("doctor-a");
  const auto before = kernel::counters::read(netns);
  send_to_itself(netns);
  const auto risen = kernel::counters::difference(before, kernel::counters::read(netns));
  if (!risen.contains("UdpNoPorts")) throw Error("the kernel did not count a packet that it dropped");
  return "the kernel counts, by namespace, what found no route, filter or socket";
}

/// What some checks alone rest on, and say so themselves where it is missing.
template <class Action>
Trial attempt_optional(const std::string& name, const std::string& remedy, Action action) {
  Trial trial = attempt(name, remedy, action);
  if (trial.finding == Finding::missing) trial.finding = Finding::absent;
  return trial;
}

Trial bridge_netfilter() {
  const kernel::Netns netns = kernel::Netns::create();
  const auto value = kernel::read_sysctl(netns, "net.bridge.bridge-nf-call-iptables");
  if (!value) {
    return {"br_netfilter", Finding::absent,
            "frames between ports of a bridge pass by the FORWARD chain here; with Docker they cross it",
            "modprobe br_netfilter"};
  }
  return {"br_netfilter", Finding::ok,
          fmt::format("there (bridge-nf-call-iptables={} in a new namespace)", *value), ""};
}

constexpr const char* kPrivilegedRemedy = "run as root, or in a container started with --privileged";

}  // namespace

std::string identity() {
  std::string who = ::geteuid() == 0 ? "root" : fmt::format("uid {}", ::geteuid());
  return in_first_user_namespace() ? who : who + " in a user namespace";
}

std::vector<Trial> look_around(const std::string& outside) {
  return {kernel_version(), privileges(outside), tool("nft", "shows rulesets", "nftables"),
          tool("ip", "shows links and routes", "iproute2"), tool("tshark", "shows traces", "tshark")};
}

std::vector<Trial> try_inside() {
  const std::string user = in_first_user_namespace() ? "" : "user, ";
  std::vector<Trial> trials{
      {"namespaces", Finding::ok, user + "mount, network and pid namespaces of its own", ""}};
  trials.push_back(attempt("netns", kPrivilegedRemedy, [] {
    const kernel::Netns netns = kernel::Netns::create();
    return fmt::format("nodes can be made (net:[{}])", netns.inode());
  }));
  if (trials.back().finding != Finding::ok) return trials;
  trials.push_back(attempt("veth", "a kernel with CONFIG_VETH (modprobe veth)", try_veth));
  trials.push_back(attempt("bridge", "a kernel with CONFIG_BRIDGE (modprobe bridge)", try_bridge));
  trials.push_back(attempt("ipv6", "a kernel with IPv6, booted without ipv6.disable=1", try_ipv6));
  trials.push_back(
      attempt("capture", "a kernel with CONFIG_PACKET; a container needs CAP_NET_RAW", try_capture));
  trials.push_back(attempt("nftables",
                           "a kernel with nf_tables, nft_ct, nft_reject and nft_masq (modprobe nf_tables)",
                           try_nftables));
  trials.push_back(
      attempt_optional("nft trace", "a kernel whose nf_tables can trace (meta nftrace)", try_nft_trace));
  trials.push_back(attempt_optional("legacy trace", "a kernel with nfnetlink_log (modprobe nfnetlink_log)",
                                    try_legacy_trace));
  trials.push_back(attempt_optional("drop reasons", kPrivilegedRemedy, try_drop_reasons));
  trials.push_back(attempt_optional("counters", "a /proc that shows net/snmp", try_counters));
  try {
    trials.push_back(bridge_netfilter());
  } catch (const Error& error) {
    trials.push_back({"br_netfilter", Finding::absent, error.what(), ""});
  }
  return trials;
}

std::vector<Trial> refused_sandbox(const Error& refused) {
  std::vector<Trial> trials{{"namespaces", Finding::missing, refused.what(),
                             refused.remedy().empty() ? kPrivilegedRemedy : refused.remedy()}};
  for (const char* name : {"netns", "veth", "bridge", "ipv6", "capture", "nftables", "nft trace",
                           "legacy trace", "drop reasons", "counters", "br_netfilter"}) {
    trials.push_back({name, Finding::untried, "namespaces are needed to try it", ""});
  }
  return trials;
}

}  // namespace plumbline::cli
