#include "harness/traffic/capture/capture.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::traffic {
namespace {

/// Threads that open or close rings at once: each waits out an RCU grace period (about 10 ms), in company.
constexpr std::size_t kMostThreads = 64;
/// Frames handed over before the event loop gets its turn.
constexpr int kBatch = 256;

struct PcapDeleter {
  void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};
using Pcap = std::unique_ptr<pcap_t, PcapDeleter>;

/// Runs `action(i)` for all i below `count`, from a bounded number of threads. The first exception comes out.
template <class Action>
void in_parallel(std::size_t count, const Action& action) {
  std::vector<std::exception_ptr> problems(count);
  for (std::size_t begin = 0; begin < count; begin += kMostThreads) {
    std::vector<std::jthread> threads;
    for (std::size_t i = begin; i < std::min(count, begin + kMostThreads); ++i) {
      threads.emplace_back([&action, &problems, i] {
        try {
          action(i);
        } catch (...) {
          problems[i] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& problem : problems) {
    if (problem) std::rethrow_exception(problem);
  }
}

[[noreturn]] void refuse(const std::string& node, std::string_view what) {
  Error error(fmt::format("node {}: opening a packet capture: {}", node, what), ErrorKind::environment);
  throw error.with_remedy("packet capture needs CAP_NET_RAW in the node's user namespace");
}

Pcap open_ring(const TapSource& source, const CaptureOptions& options) {
  const auto inside = source.netns->enter();
  std::array<char, PCAP_ERRBUF_SIZE> text{};
  Pcap handle(pcap_create("any", text.data()));
  if (!handle) refuse(source.node, text.data());
  pcap_set_snaplen(handle.get(), static_cast<int>(options.snap_length));
  pcap_set_immediate_mode(handle.get(), 1);
  pcap_set_buffer_size(handle.get(), static_cast<int>(options.buffer_bytes));
  pcap_set_tstamp_precision(handle.get(), PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle.get());
  if (status < 0) {
    const std::string detail = pcap_geterr(handle.get());
    refuse(source.node, detail.empty() ? pcap_statustostr(status) : detail);
  }
  if (pcap_set_datalink(handle.get(), DLT_LINUX_SLL2) != 0 || pcap_setnonblock(handle.get(), 1, text.data()) != 0) {
    refuse(source.node, pcap_geterr(handle.get()));
  }
  return handle;
}

struct Tap {
  std::string node;
  Pcap handle;
  Fd names;  ///< a socket inside the namespace, to ask for interface names
  std::optional<boost::asio::posix::stream_descriptor> readable;
  mutable std::unordered_map<unsigned, std::string> known;
};

}  // namespace

class Capture::Impl {
 public:
  Impl(const boost::asio::any_io_executor& executor, std::vector<TapSource> sources, const CaptureOptions& options,
       Handler handler)
      : handler_(std::move(handler)), taps_(sources.size()) {
    in_parallel(sources.size(), [&](std::size_t i) {
      Tap& tap = taps_[i];
      tap.node = sources[i].node;
      tap.handle = open_ring(sources[i], options);
      tap.names = sources[i].netns->run([] { return Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
    });
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      taps_[i].readable.emplace(executor, pcap_get_selectable_fd(taps_[i].handle.get()));
      await(i);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    // The descriptors belong to libpcap: taken back from Asio, whose pending waits end with an error.
    for (Tap& tap : taps_) {
      if (tap.readable) tap.readable->release();
    }
    try {
      in_parallel(taps_.size(), [this](std::size_t i) { taps_[i].handle.reset(); });
    } catch (const std::exception&) {
      // No thread to be had: the rings are closed one by one with taps_.
    }
  }

  void drain() {
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      while (dispatch(i) > 0) {
      }
    }
  }

  std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const Tap& tap : taps_) {
      pcap_stat stats{};
      if (pcap_stats(tap.handle.get(), &stats) == 0) sum += stats.ps_drop;
    }
    return sum;
  }

  const std::string& node(std::size_t tap) const { return taps_.at(tap).node; }

  std::string interface_name(std::size_t tap, unsigned interface) const {
    const Tap& where = taps_.at(tap);
    if (const auto found = where.known.find(interface); found != where.known.end()) return found->second;
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(interface);
    if (::ioctl(where.names.get(), SIOCGIFNAME, &request) != 0) return fmt::format("if{}", interface);
    return where.known.emplace(interface, request.ifr_name).first->second;
  }

 private:
  struct Delivery {
    const Impl* impl;
    std::size_t tap;
  };

  static void deliver(u_char* user, const pcap_pkthdr* header, const u_char* bytes) {
    const auto* delivery = reinterpret_cast<const Delivery*>(user);  // NOLINT(*-reinterpret-cast): libpcap's interface
    Frame frame;
    frame.tap = delivery->tap;
    frame.bytes = {bytes, header->caplen};
    frame.original_length = header->len;
    // With nanosecond precision tv_usec holds nanoseconds (pcap_set_tstamp_precision(3PCAP)).
    frame.time_ns = static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000U +
                    static_cast<std::uint64_t>(header->ts.tv_usec);
    if (header->caplen >= 8) {
      for (std::size_t i = 4; i < 8; ++i) frame.interface = frame.interface << 8U | bytes[i];
    }
    delivery->impl->handler_(frame);
  }

  /// Hands over what lies in the ring, at most a batch. Returns how many frames.
  int dispatch(std::size_t tap) {
    Delivery delivery{this, tap};
    const int frames = pcap_dispatch(taps_[tap].handle.get(), kBatch, &Impl::deliver,
                                     reinterpret_cast<u_char*>(&delivery));  // NOLINT(*-reinterpret-cast)
    if (frames < 0) {
      throw Error(fmt::format("node {}: reading a capture: {}", taps_[tap].node, pcap_geterr(taps_[tap].handle.get())));
    }
    return frames;
  }

  void await(std::size_t tap) {
    taps_[tap].readable->async_wait(boost::asio::posix::descriptor_base::wait_read,
                                    [this, tap](const boost::system::error_code& error) {
                                      if (error) return;
                                      dispatch(tap);
                                      await(tap);
                                    });
  }

  Handler handler_;
  std::vector<Tap> taps_;
};

Capture::Capture(boost::asio::any_io_executor executor, std::vector<TapSource> taps, const CaptureOptions& options,
                 Handler handler)
    : impl_(std::make_unique<Impl>(executor, std::move(taps), options, std::move(handler))) {}

Capture::~Capture() = default;

void Capture::drain() { impl_->drain(); }

std::uint64_t Capture::dropped() const { return impl_->dropped(); }

const std::string& Capture::node(std::size_t tap) const { return impl_->node(tap); }

std::string Capture::interface_name(std::size_t tap, unsigned interface) const {
  return impl_->interface_name(tap, interface);
}

}  // namespace plumbline::traffic
