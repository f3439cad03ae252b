#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::testing {

struct NetworkOptions {
  std::chrono::milliseconds timeout{1000};  ///< of one probe
};

/// Where in the test's own source something is said.
struct SourcePlace {
  const char* file = "";
  int line = 0;
};

/// One name or several: "host", {"container-one", "container-two"}.
struct Names {
  Names(const char* name) : list{name} {}                            // NOLINT(google-explicit-constructor)
  Names(std::string name) : list{std::move(name)} {}                 // NOLINT(google-explicit-constructor)
  Names(std::initializer_list<std::string> names) : list(names) {}   // NOLINT(google-explicit-constructor)
  Names(std::vector<std::string> names) : list(std::move(names)) {}  // NOLINT(google-explicit-constructor)
  std::vector<std::string> list;
};

class Network;

/// What a promise is made about, not yet sent: the arguments of a check, as a spec would have them.
struct Question {
  Network* network = nullptr;
  SourcePlace place;
  std::vector<std::pair<std::string, std::vector<std::string>>>
      arguments;  ///< {"from", {"container-one"}}, …
};

/// Packets from some nodes to some targets: `from("container-one").to("internet").tcp(80)`. Each combination
/// is one check.
struct Probe : Question {};
/// "tcp/80 from container-one to internet", for messages of failed assertions.
void PrintTo(const Probe& probe, std::ostream* out);

/// A DNS question: `from("container-one").query("www.example.test")`, over UDP and TCP, to the node's own
/// resolvers unless it is told otherwise.
struct Query : Question {
  Query at(const std::string& server) const;  ///< a node or an address
  Query over_udp() const;
  Query over_tcp() const;
};
void PrintTo(const Query& query, std::ostream* out);

/// Sender and target.
class Pair {
 public:
  explicit Pair(Question question) : question_(std::move(question)) {}
  Probe ping() const { return with("ping"); }
  Probe tcp(std::uint16_t port) const { return with("tcp/" + std::to_string(port)); }
  Probe udp(std::uint16_t port) const { return with("udp/" + std::to_string(port)); }
  /// Several at once, in a spec's words: {"ping", "tcp/80"}.
  Probe with(Names services) const;

 private:
  Question question_;
};

/// Sender.
class Source {
 public:
  explicit Source(Question question) : question_(std::move(question)) {}
  /// Nodes or IP addresses.
  Pair to(Names targets) const;
  Query query(const std::string& name) const;

 private:
  Question question_;
};

/// The setup's script says that something it needs is missing here.
class Unavailable : public Error {
 public:
  using Error::Error;
};

/// A network that exists: built in disposable namespaces, read back from the kernel, its servers running and
/// a tap open on every node. It ends with this object. One can exist at a time in a process, which must be
/// inside the sandbox (plumbline::testing_main, or PLUMBLINE_GTEST_MAIN() in main.hpp).
class Network {
 public:
  /// Throws Error, with the kernel's own text or the script's output, where it cannot be built; Unavailable.
  explicit Network(spec::Spec arrangement, const NetworkOptions& options = {});
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  /// As it was read back from the kernel.
  const network::Topology& topology() const noexcept;

  Source from(Names nodes, const char* file = __builtin_FILE(), int line = __builtin_LINE());

  /// Any check in a spec's words, "reach: {from: host, to: [container-one, container-two]}", carried out now:
  /// a result for each combination. Throws spec::SpecError, whose place is the caller's, also for a kind that
  /// is judged after all others (silent). Where watching the network itself goes wrong it throws Error, and
  /// so does every later call.
  std::vector<engine::CheckResult> check(std::string_view yaml, const char* file = __builtin_FILE(),
                                         int line = __builtin_LINE());
  /// A change in a spec's words, "delete-link: {in: host, dev: veth1}", made now and read back from the
  /// kernel. Throws spec::SpecError, or Error with what the kernel said.
  void change(std::string_view yaml, const char* file = __builtin_FILE(), int line = __builtin_LINE());

  /// The same for an item of a spec that was read already, a check or a change.
  std::vector<engine::CheckResult> carry_out(const spec::CheckItem& item);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::testing
