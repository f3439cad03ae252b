#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/sysfs.hpp"
#include "harness/kernel/process/daemon.hpp"
#include "harness/network/setup/script.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::network {

/// How a script ended.
struct ScriptEnd {
  int status = 0;          ///< exit status; 128+N for signal N
  bool timed_out = false;  ///< it was killed when its time was up
  std::string output;      ///< standard output and error, printable, the last 64 KiB
  std::chrono::microseconds duration{0};

  bool failed() const noexcept { return timed_out || status != 0; }
};

/// By this exit status a script says that something it needs is missing here.
inline constexpr int kScriptSkips = 77;

/// How long a network may take to come up once its script has ended.
inline constexpr std::chrono::milliseconds kReadyWithin{10'000};

/// The disposable host of a network, in which users' scripts run: in its network namespace, with /sys showing
/// its devices, in our mount namespace, so that /run/netns is shared with us.
class ScriptHost {
 public:
  /// `network` must outlive it, and holds the nodes of `world` already. `resolvers`: the containers'; empty:
  /// the host's own.
  ScriptHost(LiveNetwork& network, const Topology& world, const std::string& setup_name,
             const std::vector<IpAddress>& resolvers = {});
  ScriptHost(const ScriptHost&) = delete;
  ScriptHost& operator=(const ScriptHost&) = delete;
  ~ScriptHost();  ///< ends

  /// What a setup needs again when it takes down what it made.
  class Kept {
   public:
    Kept() = default;
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    virtual ~Kept() = default;
  };

  /// Runs the setup under test and waits until the network that it made is ready. Absent: it did. Otherwise
  /// why it was skipped: the last line of its output, where it exited with kScriptSkips. Throws Error of kind
  /// setup, with its output and a remedy, when it fails or takes too long, when a container that is expected
  /// has no name in /run/netns, or when the network does not come up; of kind usage when it cannot be
  /// started.
  boost::asio::awaitable<std::optional<std::string>> set_up(ScriptSetup setup);

  /// Runs a script of a later step to its end, whatever that is. The namespaces that it named are nodes then,
  /// those whose names it took away are none any more. Throws Error when it cannot be started (kind usage),
  /// or when it took away the name of a node of the world (kind setup).
  boost::asio::awaitable<ScriptEnd> run(Script script);
  /// Why it did not do its work, where it said by kScriptSkips that something is missing here. Absent: it
  /// did, or failed.
  static std::optional<std::string> skipped(const ScriptEnd& end);
  /// The error that such an end is, where it ought to have gone well: of kind setup, with output and remedy.
  static Error failure(const Script& script, const ScriptEnd& end);

  /// The network that it is the host of, and what of it the spec's world is.
  LiveNetwork& network() noexcept { return network_; }
  const Topology& world() const noexcept { return world_; }
  /// What programs that run in it find in their environment.
  const Environment& environment() const noexcept { return environment_; }

  /// What later programs find in their environment beside that: where a daemon listens.
  void tell(const std::string& name, const std::string& value) { environment_[name] = value; }

  /// From now on /sys shows the host's devices, as it does to scripts.
  void show_devices();
  /// Starts a program of a runtime's that runs beside the checks, in the host's network namespace and with
  /// `environment`, until `end`. The event loop must outlive that. Throws as kernel::run does.
  kernel::Daemon& leave_running(const boost::asio::any_io_executor& executor, kernel::Command command);

  /// Keeps it as long as the host lives, instead of what was kept before.
  void keep(std::unique_ptr<Kept> kept) { kept_ = std::move(kept); }
  Kept* kept() const noexcept { return kept_.get(); }

  /// Waits until all that should run in the network as it is now does: see await_ready. Throws Error of kind
  /// setup, naming what does not come up.
  void settle(std::chrono::milliseconds within = kReadyWithin) const;

  /// Ends whatever scripts left running, in the nodes and elsewhere, and gives /sys back. To be called before
  /// the network is taken down. Throws Error for what does not end.
  void end();

 private:
  LiveNetwork& network_;
  Topology world_;
  Environment environment_;
  std::optional<kernel::SysfsView> sysfs_;
  std::vector<Fd> outputs_;  ///< of programs that were left running
  std::list<kernel::Daemon> daemons_;
  std::unique_ptr<Kept> kept_;
};

}  // namespace plumbline::network
