#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/traffic/packet/packet.hpp"

namespace plumbline::traffic {

/// A frame as a tap saw it, valid during the callback only.
struct Frame {
  std::size_t tap = 0;                  ///< index into the taps given to Capture
  unsigned interface = 0;               ///< kernel index, in that tap's namespace
  std::uint64_t time_ns = 0;            ///< kernel timestamp, since the epoch
  std::span<const std::uint8_t> bytes;  ///< link header included, possibly cut to the snap length
  std::size_t original_length = 0;
  LinkType link_type = LinkType::linux_sll2;  ///< of `bytes`; a tap on one interface has that interface's
};

struct TapSource {
  std::string node;
  const kernel::Netns* netns = nullptr;
  std::size_t buffer_bytes = 0;  ///< of this tap's ring; 0: as the options say
  std::string interface;         ///< this one alone; empty: all that the node has or will have
  std::string filter;            ///< of this tap; empty: as the options say
};

struct CaptureOptions {
  std::string filter;                    ///< pcap-filter(7); empty: every frame
  std::size_t snap_length = 2048;        ///< bytes of a frame kept
  std::size_t buffer_bytes = 1U << 20U;  ///< ring of one tap that says nothing else
};

/// Why libpcap refuses `filter` for frames of that kind; absent: it does not. Opens nothing.
std::optional<std::string> filter_problem(const std::string& filter, LinkType link_type);

/// libpcap taps. One without an interface of its own is on all that its node has (device "any", SLL2: each
/// frame names its interface and direction; an interface that appears later is seen too). All are open when
/// the constructor returns; it throws Error where one cannot be. Reading happens on the event loop, never
/// blocking; what goes wrong there (an Error of the tap, or what the handler throws) comes out of the event
/// loop's run(). But a tap on one interface that is deleted has merely ended: `problem` says so.
///
/// On loopback libpcap shows a frame once, as incoming: it drops the outgoing copy.
class Capture {
 public:
  using Handler = std::function<void(const Frame&)>;
  /// The executor's context must outlive the capture; it need not be running when that ends. The handler is
  /// not called after that, and must not end the capture itself.
  Capture(boost::asio::any_io_executor executor, std::vector<TapSource> taps, const CaptureOptions& options,
          Handler handler);
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture();  ///< closes all rings side by side: one at a time each would wait out an RCU grace period

  /// Hands over everything that lies in the rings now, and at most one ring's worth of what comes meanwhile.
  /// The kernel puts a packet there before it goes on its way, so after a reply has arrived, all its earlier
  /// sightings are in.
  void drain();

  /// What that tap lets through from now on. While it changes, frames may be missed without being counted: no
  /// probe may be under way. Throws Error.
  void set_filter(std::size_t tap, const std::string& filter);

  /// Frames the kernel had no room for, over all taps, since the beginning: not 0 means that absence proves
  /// nothing. Throws Error where the kernel does not tell.
  std::uint64_t dropped() const;
  /// The same of one tap.
  std::uint64_t dropped(std::size_t tap) const;
  /// Why a tap on one interface has ended before its time; empty: it has not.
  const std::string& problem(std::size_t tap) const;

  const std::string& node(std::size_t tap) const;
  /// The interface's name inside the tap's namespace; "if7" when it is gone.
  std::string interface_name(std::size_t tap, unsigned interface) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::traffic
