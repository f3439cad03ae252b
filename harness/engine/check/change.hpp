#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/network/setup/script_host.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::engine {

class Listeners;

/// What a change is made on.
struct ChangeSite {
  network::LiveNetwork& network;
  network::ScriptHost& scripts;
  Listeners& listeners;         ///< the servers that run
  network::Topology& declared;  ///< what no kernel can be asked for: roles, services, resolvers
};

/// A change that cannot be made here, because of something that is missing: what comes after it is skipped.
/// What it says is why.
class ChangeSkipped : public Error {
 public:
  using Error::Error;
};

/// A change to a running network, made between checks: one item `then:` of a spec. Checks never change
/// anything.
class Change {
 public:
  Change() = default;
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  virtual ~Change() = default;

  std::string about;  ///< "delete-link host:veth1"
  std::string where;  ///< file:line:column
  /// It breaks the network on purpose: later checks promise what was promised before.
  bool fault = false;

  /// What later checks may name and go by: `intended` as it will be afterwards, as far as that is known.
  virtual void foresee(network::Topology& /*intended*/) const {}
  /// Makes it. Throws Error, with what the kernel or the script said; ChangeSkipped.
  virtual boost::asio::awaitable<void> make(ChangeSite& site) const = 0;
};

/// A kind of change: one file in engine/change/, found by the build.
struct ChangeKind {
  std::string_view name;
  std::string_view about;   ///< one sentence
  std::string_view schema;  ///< JSON Schema of its arguments
  /// `item` is one of `spec`'s; `intended` is what the network will be before it. Throws spec::SpecError.
  std::unique_ptr<Change> (*parse)(const spec::CheckItem& item, const network::Topology& intended,
                                   const spec::Spec& spec) = nullptr;
};

}  // namespace plumbline::engine
