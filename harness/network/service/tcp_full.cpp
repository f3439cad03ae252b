#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/network/service/listen.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network {
namespace {

/// A listener that nobody accepts from, and the connections of its own that fill its queue.
class FullServer final : public Server {
 public:
  FullServer(Fd listener, std::vector<Fd> own) : listener_(std::move(listener)), own_(std::move(own)) {}
  const std::vector<ServiceRequest>& requests() const override { return none_; }

 private:
  Fd listener_;
  std::vector<Fd> own_;
  std::vector<ServiceRequest> none_;
};

Fd connect_within(const kernel::Netns& netns, const boost::asio::ip::tcp::endpoint& to) {
  const kernel::Netns::Entered inside = netns.enter();
  Fd socket(::socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // A handshake over the loopback is over when connect returns, though it says that it is under way.
  const bool begun = socket && (::connect(socket.get(), to.data(), static_cast<socklen_t>(to.size())) == 0 ||
                                errno == EINPROGRESS);
  if (!begun) throw Error::from_errno(errno, "filling the queue of a listener");
  return socket;
}

}  // namespace

std::unique_ptr<Server> serve_tcp_full(const kernel::Netns& netns, std::uint16_t port, const Manner& manner) {
  // With none the kernel would answer by SYN cookies, and say in its log that it is flooded. One more than
  // the queue is to hold is let in (sk_acceptq_is_full).
  constexpr int backlog = 1;
  detail::BoundSocket listener = detail::listen_tcp(netns, port, {}, manner.listen);
  if (::listen(listener.fd.get(), backlog) != 0) throw Error::from_errno(errno, "shortening a backlog");
  const std::string at = manner.listen ? manner.listen->to_string() : "127.0.0.1";
  const boost::asio::ip::tcp::endpoint to(boost::asio::ip::make_address(at), port);
  std::vector<Fd> own;
  for (int i = 0; i <= backlog; ++i) own.push_back(connect_within(netns, to));
  return std::make_unique<FullServer>(std::move(listener.fd), std::move(own));
}

}  // namespace plumbline::network
