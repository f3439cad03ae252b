#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "harness/network/service/tcp_service.hpp"
#include "harness/network/service/udp_service.hpp"

namespace plumbline::network::detail {

/// A server made of UDP and TCP services with one log. It holds them weakly: they belong to their coroutines,
/// and so are gone already when the io_context went first.
class ServerOf : public Server {
 public:
  explicit ServerOf(std::shared_ptr<RequestLog> log, std::weak_ptr<UdpService> udp = {},
                    std::weak_ptr<TcpService> tcp = {})
      : log_(std::move(log)), udp_(std::move(udp)), tcp_(std::move(tcp)) {}
  ~ServerOf() override {
    if (const auto udp = udp_.lock()) udp->close();
    if (const auto tcp = tcp_.lock()) tcp->close();
  }
  const std::vector<ServiceRequest>& requests() const override { return log_->all(); }

 private:
  std::shared_ptr<RequestLog> log_;
  std::weak_ptr<UdpService> udp_;
  std::weak_ptr<TcpService> tcp_;
};

}  // namespace plumbline::network::detail
