#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/nftables/connection.hpp"
#include "harness/kernel/nftables/ruleset.hpp"
#include "harness/kernel/nftables/trace_event.hpp"

namespace plumbline::kernel::nft {

/// Makes the kernel report every rule that probes' packets meet in one namespace, while it lives.
///
/// A table of its own (`inet plumbline`, with the owner flag) has a base chain at every hook, before all
/// others, that sets `meta nftrace`: so each hook that a packet passes yields an event, where nobody has a
/// chain there too. The same mark makes iptables-legacy report its rules (harness/kernel/iptables_legacy).
/// Marked are all TCP and UDP packets, and of ICMP and ICMPv6 those whose payload begins with "PL", as
/// probes' do, and the errors that a packet may meet on its way: neighbour discovery and the like would only
/// fill the buffer.
///
/// A bridge's hooks are others. A second table (`bridge plumbline`) does the same there, only where somebody
/// else has a base chain at one of them: each frame of every bridge would pay for it.
class Trace {
 public:
  static constexpr std::string_view kFamily = "inet";
  static constexpr std::string_view kBridgeFamily = "bridge";
  static constexpr std::string_view kTable = "plumbline";
  /// Before everything that has a name: defragmentation is at -400, raw at -300.
  static constexpr std::int32_t kPriority = -500;
  /// A receive buffer that takes a burst of some ten thousand events. Who is not root of the machine gets at
  /// most twice net.core.rmem_max.
  static constexpr std::size_t kBuffer = 32U << 20U;

  /// At IP's hooks, by a table of that name. Throws Error: of kind environment where the kernel refuses.
  explicit Trace(const Netns& netns, std::size_t buffer_bytes = kBuffer,
                 std::string name = std::string(kTable));

  /// "plumbline-4711": a name for where others may be at work as well. The kernel lets nobody but its owner
  /// touch a table, so two processes cannot both call theirs kTable.
  static std::string table_of_this_process();

  /// Readable when events wait.
  int fd() const noexcept { return events_.get(); }
  /// Takes all that have come until now, without waiting. Throws Error.
  std::vector<TraceEvent> take();
  /// How often the kernel had to drop events for want of room, seen so far by `take`. Not 0: what was not
  /// reported may still have happened.
  std::uint64_t lost() const noexcept { return lost_; }

  /// Marks at the bridges' hooks from now on, or no longer, as others' chains there ask for: to be called
  /// again when the ruleset of the trace's namespace may have changed. Throws Error.
  void heed_bridges(const Netns& netns);
  /// Whether others have base chains there. Throws Error.
  bool others_at_bridges() const;

  struct Place {
    Hook hook = Hook::prerouting;
    bool bridge = false;  ///< a bridge's hook of that name, not IP's
    friend bool operator==(const Place&, const Place&) = default;
  };
  /// The hook that the chain of that name is at of the trace's table `own`; absent for any other table or
  /// chain.
  static std::optional<Place> place_of(const TraceEvent& event, std::string_view own = kTable);
  /// Whether the table is a trace's, this process's or another's.
  static bool is_own(std::string_view family, std::string_view table);

 private:
  std::string table_;
  Fd events_;
  Connection owner_;
  /// By its own connection, with which the table goes. Absent: no bridge's hook is traced.
  std::unique_ptr<Connection> bridges_owner_;
  std::uint64_t lost_ = 0;
};

}  // namespace plumbline::kernel::nft
