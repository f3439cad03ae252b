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
#include <exception>
#include <limits>
#include <optional>
#include <system_error>
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

/// Runs `action(i)` for all i below `count`, from a bounded number of threads; from this one where no other
/// is to be had. The first exception comes out, after all have ended.
template <class Action>
void in_parallel(std::size_t count, const Action& action) {
  std::vector<std::exception_ptr> problems(count);
  for (std::size_t begin = 0; begin < count; begin += kMostThreads) {
    std::vector<std::jthread> threads;
    threads.reserve(std::min(count - begin, kMostThreads));
    for (std::size_t i = begin; i < std::min(count, begin + kMostThreads); ++i) {
      const auto guarded = [&action, &problems, i] {
        try {
          action(i);
        } catch (...) {
          problems[i] = std::current_exception();
        }
      };
      try {
        threads.emplace_back(guarded);
      } catch (const std::system_error&) {
        guarded();
      }
    }
  }
  for (const std::exception_ptr& problem : problems) {
    if (problem) std::rethrow_exception(problem);
  }
}

[[noreturn]] void refuse(std::string_view what) {
  throw Error(fmt::format("opening a packet capture: {}", what), ErrorKind::environment);
}

constexpr const char* kRemedy =
    "taps need CAP_NET_RAW and CAP_SYS_ADMIN in the user namespace of the node: run as root, or inside the "
    "sandbox";

[[noreturn]] void refuse_activation(pcap_t* handle, int status) {
  const std::string reason = pcap_statustostr(status);
  const std::string detail = pcap_geterr(handle);
  const Error error(fmt::format("opening a packet capture: {}",
                                detail.empty() ? reason : fmt::format("{} ({})", detail, reason)),
                    ErrorKind::environment);
  if (status == PCAP_ERROR_PERM_DENIED) throw error.with_remedy(kRemedy);
  // libpcap keeps no errno, only its text.
  const bool used_up = detail.find(std::generic_category().message(EMFILE)) != std::string::npos;
  throw used_up ? error.with_remedy("raise the limit of open files: ulimit -n 4096") : error;
}

/// What libpcap takes is an int.
int bounded(std::size_t value) {
  return static_cast<int>(std::min<std::size_t>(value, std::numeric_limits<int>::max()));
}

std::size_t ring_bytes(const TapSource& source, const CaptureOptions& options) {
  return source.buffer_bytes != 0 ? source.buffer_bytes : options.buffer_bytes;
}

int pcap_number(LinkType link_type) {
  switch (link_type) {
    case LinkType::ethernet:
      return DLT_EN10MB;
    case LinkType::raw_ip:
      return DLT_RAW;
    case LinkType::linux_sll2:
      return DLT_LINUX_SLL2;
  }
  return DLT_EN10MB;
}

/// The kernel then passes over other frames before they take a slot.
void set_filter(pcap_t* handle, const std::string& filter) {
  if (filter.empty()) return;
  bpf_program program{};
  if (pcap_compile(handle, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    refuse(pcap_geterr(handle));
  const int status = pcap_setfilter(handle, &program);
  pcap_freecode(&program);
  if (status != 0) refuse(pcap_geterr(handle));
}

/// What a tap on one interface delivers is that interface's own kind of frame.
LinkType link_type_of(pcap_t* handle) {
  for (const LinkType known : {LinkType::ethernet, LinkType::raw_ip}) {
    if (pcap_datalink(handle) == pcap_number(known)) return known;
  }
  const char* name = pcap_datalink_val_to_name(pcap_datalink(handle));
  refuse(fmt::format("frames of type {} are not known here", name == nullptr ? "unnamed" : name));
}

Pcap open_ring(const TapSource& source, const CaptureOptions& options) {
  const auto inside = source.netns->enter();
  std::array<char, PCAP_ERRBUF_SIZE> text{};
  const bool all = source.interface.empty();
  Pcap handle(pcap_create(all ? "any" : source.interface.c_str(), text.data()));
  if (!handle) refuse(text.data());
  pcap_set_snaplen(handle.get(), bounded(options.snap_length));
  pcap_set_immediate_mode(handle.get(), 1);
  pcap_set_buffer_size(handle.get(), bounded(ring_bytes(source, options)));
  pcap_set_tstamp_precision(handle.get(), PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle.get());
  if (status < 0) refuse_activation(handle.get(), status);
  if (all && pcap_set_datalink(handle.get(), DLT_LINUX_SLL2) != 0) refuse(pcap_geterr(handle.get()));
  if (pcap_setnonblock(handle.get(), 1, text.data()) != 0) refuse(text.data());
  set_filter(handle.get(), source.filter.empty() ? options.filter : source.filter);
  return handle;
}

/// A socket inside the namespace, to ask for interface names.
Fd open_names(const kernel::Netns& netns) {
  const auto inside = netns.enter();
  Fd names(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!names) throw Error::from_errno(errno, "making a socket to ask for interface names");
  return names;
}

struct Tap {
  std::string node;
  Pcap handle;
  LinkType link_type = LinkType::linux_sll2;
  unsigned only = 0;    // the index of its one interface; 0: it is on all
  std::string problem;  // why it has ended
  Fd names;
  std::optional<boost::asio::posix::stream_descriptor> readable;
  mutable std::unordered_map<unsigned, std::string> known;
};

}  // namespace

std::optional<std::string> filter_problem(const std::string& filter, LinkType link_type) {
  const Pcap handle(pcap_open_dead(pcap_number(link_type), std::numeric_limits<std::uint16_t>::max()));
  if (!handle) return "libpcap has no memory";
  bpf_program program{};
  if (pcap_compile(handle.get(), &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return pcap_geterr(handle.get());
  }
  pcap_freecode(&program);
  return std::nullopt;
}

class Capture::Impl {
 public:
  Impl(const boost::asio::any_io_executor& executor, std::vector<TapSource> sources,
       const CaptureOptions& options, Handler handler)
      : handler_(std::move(handler)), taps_(sources.size()), most_slots_(kBatch) {
    for (const TapSource& source : sources) {
      const std::size_t slots = ring_bytes(source, options) / std::max<std::size_t>(options.snap_length, 1);
      most_slots_ = std::max(most_slots_, slots + kBatch);
    }
    try {
      in_parallel(sources.size(), [&](std::size_t i) { open(taps_[i], sources[i], options); });
      for (std::size_t i = 0; i < taps_.size(); ++i) {
        taps_[i].readable.emplace(executor, pcap_get_selectable_fd(taps_[i].handle.get()));
        await(i);
      }
    } catch (...) {
      close();
      throw;
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() { close(); }

  void drain() {
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      // Bounded, for a sender may be quicker than the handler.
      for (std::size_t taken = 0; taken < most_slots_ && taps_[i].problem.empty();) {
        const std::size_t frames = dispatch(i);
        if (frames == 0) break;
        taken += frames;
      }
    }
  }

  void set_filter(std::size_t tap, const std::string& filter) {
    try {
      traffic::set_filter(taps_.at(tap).handle.get(), filter);
    } catch (const Error& error) {
      throw error.within(fmt::format("node {}", taps_[tap].node));
    }
  }

  std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (std::size_t tap = 0; tap < taps_.size(); ++tap) sum += dropped(tap);
    return sum;
  }

  std::uint64_t dropped(std::size_t index) const {
    const Tap& tap = taps_.at(index);
    // The kernel's count starts anew with every reading; libpcap's is the sum.
    pcap_stat stats{};
    if (pcap_stats(tap.handle.get(), &stats) != 0) {
      throw Error(fmt::format("node {}: asking a capture for lost frames: {}", tap.node,
                              pcap_geterr(tap.handle.get())));
    }
    return stats.ps_drop;
  }

  const std::string& problem(std::size_t tap) const { return taps_.at(tap).problem; }

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
    std::exception_ptr problem;
  };

  static void open(Tap& tap, const TapSource& source, const CaptureOptions& options) {
    tap.node = source.node;
    try {
      tap.handle = open_ring(source, options);
      tap.names = open_names(*source.netns);
      if (source.interface.empty()) return;
      tap.link_type = link_type_of(tap.handle.get());
      const auto inside = source.netns->enter();
      tap.only = ::if_nametoindex(source.interface.c_str());
    } catch (const Error& error) {
      const std::string place = source.interface.empty() ? source.node : source.node + ":" + source.interface;
      const Error named = error.within(fmt::format("node {}", place));
      throw error.error_number() == EPERM ? named.with_kind(ErrorKind::environment).with_remedy(kRemedy)
                                          : named;
    } catch (const std::exception& error) {
      throw Error(fmt::format("node {}: opening a packet capture: {}", source.node, error.what()));
    }
  }

  void close() noexcept {
    // The descriptors belong to libpcap: taken back from Asio, whose pending waits end with an error.
    for (Tap& tap : taps_) {
      if (tap.readable) tap.readable->release();
    }
    try {
      in_parallel(taps_.size(), [this](std::size_t i) { taps_[i].handle.reset(); });
    } catch (const std::exception&) {
      // No memory for the bookkeeping: the rings are closed one by one with taps_.
    }
  }

  static void deliver(u_char* user, const pcap_pkthdr* header, const u_char* bytes) {
    auto* delivery = reinterpret_cast<Delivery*>(user);  // NOLINT(*-reinterpret-cast): libpcap's interface
    Frame frame;
    frame.tap = delivery->tap;
    frame.bytes = {bytes, header->caplen};
    frame.original_length = header->len;
    // With nanosecond precision tv_usec holds nanoseconds (pcap_set_tstamp_precision(3PCAP)).
    frame.time_ns = static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000U +
                    static_cast<std::uint64_t>(header->ts.tv_usec);
    const Tap& tap = delivery->impl->taps_[delivery->tap];
    frame.link_type = tap.link_type;
    frame.interface = tap.only;
    if (tap.only == 0 && header->caplen >= 8) {
      for (std::size_t i = 4; i < 8; ++i) frame.interface = frame.interface << 8U | bytes[i];
    }
    try {
      delivery->impl->handler_(frame);
    } catch (...) {
      // Not through libpcap's C frames: it would not give the ring's slot back.
      delivery->problem = std::current_exception();
      pcap_breakloop(delivery->impl->taps_[delivery->tap].handle.get());
    }
  }

  /// Hands over what lies in the ring, at most a batch. Returns how many frames.
  std::size_t dispatch(std::size_t tap) {
    Delivery delivery{this, tap, nullptr};
    const int frames = pcap_dispatch(taps_[tap].handle.get(), kBatch, &Impl::deliver,
                                     reinterpret_cast<u_char*>(&delivery));  // NOLINT(*-reinterpret-cast)
    if (delivery.problem) std::rethrow_exception(delivery.problem);
    if (frames >= 0) return static_cast<std::size_t>(frames);
    const std::string reason = pcap_geterr(taps_[tap].handle.get());
    if (taps_[tap].only == 0)
      throw Error(fmt::format("node {}: reading a capture: {}", taps_[tap].node, reason));
    taps_[tap].problem = reason;
    return 0;
  }

  void await(std::size_t tap) {
    taps_[tap].readable->async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, tap, alive = std::weak_ptr<const bool>(alive_)](const boost::system::error_code& error) {
          // A wait that had ended before close() says success all the same.
          if (error || alive.expired() || !taps_[tap].problem.empty()) return;
          dispatch(tap);
          if (taps_[tap].problem.empty()) await(tap);
        });
  }

  Handler handler_;
  std::vector<Tap> taps_;
  /// No fewer than the largest ring has: a slot holds a header besides the snap length.
  std::size_t most_slots_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

Capture::Capture(boost::asio::any_io_executor executor, std::vector<TapSource> taps,
                 const CaptureOptions& options, Handler handler)
    : impl_(std::make_unique<Impl>(executor, std::move(taps), options, std::move(handler))) {}

Capture::~Capture() = default;

void Capture::drain() {
  impl_->drain();
}

void Capture::set_filter(std::size_t tap, const std::string& filter) {
  impl_->set_filter(tap, filter);
}

std::uint64_t Capture::dropped() const {
  return impl_->dropped();
}

std::uint64_t Capture::dropped(std::size_t tap) const {
  return impl_->dropped(tap);
}

const std::string& Capture::problem(std::size_t tap) const {
  return impl_->problem(tap);
}

const std::string& Capture::node(std::size_t tap) const {
  return impl_->node(tap);
}

std::string Capture::interface_name(std::size_t tap, unsigned interface) const {
  return impl_->interface_name(tap, interface);
}

}  // namespace plumbline::traffic
