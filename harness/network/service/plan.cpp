#include <utility>

#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

using Kind = ServerPlan::Kind;

std::unique_ptr<Server> serve_udp(const boost::asio::any_io_executor& executor, const kernel::Netns& netns,
                                  const ServerPlan& plan) {
  DnsManner manner = plan.manner;
  manner.over = Transports::udp;
  switch (plan.kind) {
    case Kind::echo:
      return serve_udp_echo(executor, netns, plan.port, manner);
    case Kind::dns:
      return serve_dns(executor, netns, plan.port, plan.names, manner);
    case Kind::silence:
      return serve_udp_silence(executor, netns, plan.port, manner);
    case Kind::http:
    case Kind::reset:
    case Kind::full:
      return nullptr;
  }
  return nullptr;
}

std::unique_ptr<Server> serve_tcp(const boost::asio::any_io_executor& executor, const kernel::Netns& netns,
                                  const ServerPlan& plan) {
  DnsManner manner = plan.manner;
  manner.over = Transports::tcp;
  switch (plan.kind) {
    case Kind::echo:
      return serve_tcp_echo(executor, netns, plan.port, manner);
    case Kind::http:
      return serve_http(executor, netns, plan.port, manner);
    case Kind::dns:
      return serve_dns(executor, netns, plan.port, plan.names, manner);
    case Kind::silence:
      return serve_tcp_silence(executor, netns, plan.port, manner);
    case Kind::reset:
      return serve_tcp_reset(executor, netns, plan.port, manner);
    case Kind::full:
      return serve_tcp_full(netns, plan.port, manner);
  }
  return nullptr;
}

}  // namespace

std::vector<Serving> serve(const boost::asio::any_io_executor& executor, const kernel::Netns& netns,
                           const ServerPlan& plan) {
  std::vector<Serving> made;
  if (plan.manner.over != Transports::tcp) {
    if (auto server = serve_udp(executor, netns, plan)) made.push_back({plan.port, false, std::move(server)});
  }
  if (plan.manner.over != Transports::udp) {
    if (auto server = serve_tcp(executor, netns, plan)) made.push_back({plan.port, true, std::move(server)});
  }
  return made;
}

}  // namespace plumbline::network
