// What building a network costs: a bridge with N containers (namespaces, pairs, addresses, default routes)
// by LiveNetwork, by the bare kernel interface, and by `ip -batch`. Time is that of build(); the counters are
// teardown_ms, the call that lets go, and gone_ms, until the kernel has taken the last link away.
//
//   topology_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/kernel/links/veth.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/topology/bare_bench.hpp"
#include "harness/network/topology/ip_bench.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::network::bench {
namespace {

namespace netlink = kernel::netlink;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

IpAddress address_of(std::size_t number) {
  return IpAddress::v4(
      {10, 99, static_cast<std::uint8_t>(number / 256), static_cast<std::uint8_t>(number % 256)});
}

Topology bridge_with(std::size_t containers) {
  Topology topology;
  Node host;
  host.name = "host";
  host.role = Role::host;
  Interface bridge;
  bridge.name = "bridge0";
  bridge.kind = LinkKind::bridge;
  bridge.addresses = {{address_of(1), 16}};
  host.interfaces.push_back(bridge);
  for (std::size_t i = 1; i <= containers; ++i) {
    Node container;
    container.name = fmt::format("c{}", i);
    container.role = Role::container;
    Interface eth0;
    eth0.name = "eth0";
    eth0.peer = Endpoint{"host", fmt::format("port{}", i)};
    eth0.addresses = {{address_of(i + 1), 16}};
    Interface port;
    port.name = eth0.peer->interface;
    port.peer = Endpoint{container.name, "eth0"};
    port.master = "bridge0";
    container.interfaces.push_back(std::move(eth0));
    Route gateway;
    gateway.via = address_of(1);
    container.routes.push_back(gateway);
    host.interfaces.push_back(std::move(port));
    topology.nodes.push_back(std::move(container));
  }
  topology.nodes.push_back(std::move(host));
  return topology;
}

// The kernel takes namespaces down in the background, in the order in which they were let go of. This one is
// let go of last: when its veth's end here is gone, so are all before it.
class LastToGo {
 public:
  LastToGo()
      : events_(netlink::Socket::open()),
        requests_(netlink::Socket::open()),
        netns_(kernel::Netns::create()) {
    events_.subscribe(netlink::Group::links);
    kernel::links::Veth veth;
    veth.end.name = kName;
    veth.peer.name = kName;
    veth.peer.netns_fd = netns_->fd();
    netlink::Batch batch("benchmark");
    batch.add(kernel::links::create(veth), [] { return std::string("creating its own veth"); });
    requests_.execute(batch);
  }
  void await_gone() {
    // Sockets of the others hold on to their namespaces until an RCU grace period is over.
    for (int i = 0; i < 2; ++i) ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    netns_.reset();
    const Deadline deadline = Deadline::after(std::chrono::seconds(60));
    while (there()) {
      if (!events_.wait(deadline)) throw Error("the kernel did not take the namespaces down within 60 s");
    }
  }

 private:
  static constexpr const char* kName = "last";
  bool there() {
    for (const auto& link : requests_.dump(netlink::get_links(), "listing the links", netlink::decode_link)) {
      if (link.name == kName) return true;
    }
    return false;
  }
  netlink::Socket events_;
  netlink::Socket requests_;
  std::optional<kernel::Netns> netns_;
};

template <class Build, class Teardown>
void measure(benchmark::State& state, Build&& build, Teardown&& teardown) {
  double down = 0;
  double gone = 0;
  for (auto each : state) {
    static_cast<void>(each);
    LastToGo last;
    const auto start = Clock::now();
    build();
    state.SetIterationTime(seconds_since(start));
    const auto end = Clock::now();
    teardown();
    down += seconds_since(end) * 1e3;
    last.await_gone();
    gone += seconds_since(end) * 1e3;
  }
  state.counters["teardown_ms"] = benchmark::Counter(down, benchmark::Counter::kAvgIterations);
  state.counters["gone_ms"] = benchmark::Counter(gone, benchmark::Counter::kAvgIterations);
}

void live_network(benchmark::State& state) {
  const Topology topology = bridge_with(static_cast<std::size_t>(state.range(0)));
  LiveNetwork network;
  measure(
      state, [&] { network.build(topology); }, [&] { network.teardown(); });
}

void bare_kernel(benchmark::State& state) {
  BareNetwork network;
  measure(
      state, [&] { network.build(static_cast<std::size_t>(state.range(0))); }, [&] { network.teardown(); });
}

void ip_batch(benchmark::State& state) {
  IpBatchNetwork network;
  measure(
      state, [&] { network.build(static_cast<std::size_t>(state.range(0))); }, [&] { network.teardown(); });
}

void sizes(benchmark::internal::Benchmark* each) {
  each->UseManualTime()->Unit(benchmark::kMillisecond);
  each->Arg(2)->Arg(10)->Arg(100)->Arg(500)->Iterations(1);
}
BENCHMARK(live_network)->Apply(sizes);
BENCHMARK(bare_kernel)->Apply(sizes);
BENCHMARK(ip_batch)->Apply(sizes);

}  // namespace
}  // namespace plumbline::network::bench

int main(int argc, char** argv) {
  try {
    if (!plumbline::kernel::in_sandbox()) return plumbline::kernel::reexec_in_sandbox(argc, argv);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const plumbline::Error& error) {
    std::fprintf(stderr, "topology_bench: %s\n%s\n", error.what(), error.remedy().c_str());
    return 3;
  }
}
