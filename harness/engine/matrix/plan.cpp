#include "harness/engine/matrix/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "checks/kinds.hpp"
#include "harness/engine/matrix/attempt.hpp"
#include "harness/engine/report/matrix.hpp"

namespace plumbline::engine::matrix {
namespace {

constexpr const char* kIsolated = "isolated";
constexpr std::array kFamilies{IpFamily::v4, IpFamily::v6};

using Key = std::tuple<std::string, std::string, std::string, std::string>;  ///< from, to, with, family

bool has(const network::Node& node, IpFamily family) {
  if (!network::known_addresses(node, family).empty()) return true;
  // A world says all that its nodes have: one without an address is a segment's bridge. What a setup makes
  // may be known only when it is built: the attempt finds out.
  if (node.role == network::Role::world) return false;
  const IpFamily other = family == IpFamily::v4 ? IpFamily::v6 : IpFamily::v4;
  return network::known_addresses(node, other).empty();
}

class Completion {
 public:
  Completion(const spec::Spec& spec, const Scope& scope, Plan& plan)
      : spec_(spec), scope_(scope), plan_(plan), intended_(spec.intended()) {}

  void complete() {
    plan_.changes.clear();
    std::erase_if(plan_.checks, [this](const auto& check) { return !is_in_scope(*check); });
    narrow_isolated();
    for (const auto& check : plan_.checks) note(check->promise);
    const std::vector<Service> services = scope_.services.empty() ? promised_services() : scope_.services;
    std::size_t pairs = 0;
    for (const IpFamily family : kFamilies) {
      const std::size_t nodes = nodes_with(family).size();
      pairs += nodes * (nodes - std::min<std::size_t>(nodes, 1));
    }
    const std::size_t probes = plan_.checks.size() + pairs * services.size() + isolated_.size();
    if (probes > scope_.most) refuse(probes, services.size());
    for (const IpFamily family : kFamilies) add_attempts(services, family);
    for (const Pair& pair : isolated_) add_attempt(pair);
  }

 private:
  bool has_node(const std::string& name) const {
    return scope_.nodes.empty() || std::ranges::find(scope_.nodes, name) != scope_.nodes.end();
  }

  bool has_target(const std::string& to) const {
    const auto address = IpAddress::parse(to);
    if (!address || scope_.nodes.empty()) return has_node(to);
    const network::Node* owner = intended_.owner_of(*address);
    return owner != nullptr && has_node(owner->name);
  }

  bool is_wanted(const std::string& with) const {
    return scope_.services.empty() ||
           std::ranges::any_of(scope_.services, [&](const Service& s) { return s.to_string() == with; });
  }

  bool is_in_scope(const Check& check) const {
    const CheckResult& promise = check.promise;
    const std::vector<std::string> services = services_of(promise);
    const auto wanted = [this](const std::string& with) { return is_wanted(with); };
    return check.phase == 0 && std::ranges::any_of(services, wanted) && has_node(promise.from) &&
           has_target(promise.to);
  }

  /// One check sends all its services: where only some are wanted, it becomes what the spec would say of
  /// these alone.
  void narrow_isolated() {
    std::set<std::string> ids;
    for (const auto& check : plan_.checks) ids.insert(check->promise.id);
    for (auto& check : plan_.checks) {
      const std::vector<std::string> services = services_of(check->promise);
      std::vector<std::string> wanted;
      for (const std::string& with : services) {
        if (is_wanted(with)) wanted.push_back(with);
      }
      if (check->promise.type != kIsolated || wanted.size() == services.size()) continue;
      auto narrowed = isolated_by(check->promise, wanted);
      const bool fresh = narrowed != nullptr && ids.insert(narrowed->promise.id).second;
      check = fresh ? std::move(narrowed) : nullptr;
    }
    std::erase(plan_.checks, nullptr);
  }

  /// What the spec promises as `promise`, by these services alone.
  std::unique_ptr<Check> isolated_by(const CheckResult& promise, const std::vector<std::string>& with) const {
    const auto item = std::ranges::find_if(spec_.checks, [&](const spec::CheckItem& each) {
      return !each.change && each.kind == kIsolated && each.mark.to_string() == promise.where;
    });
    if (item == spec_.checks.end()) return nullptr;
    spec::CheckItem narrow = *item;
    set(narrow.arguments, "from", {promise.from});
    set(narrow.arguments, "to", {promise.to});
    set(narrow.arguments, "with", with);
    const auto kind = std::ranges::find(checks::check_kinds(), std::string_view(kIsolated), &CheckKind::name);
    auto parsed = kind->parse(narrow, intended_);
    return parsed.empty() ? nullptr : std::move(parsed.front());
  }

  static void set(spec::Value& arguments, const std::string& key, const std::vector<std::string>& words) {
    spec::Value list;
    list.kind = spec::Value::Kind::sequence;
    list.mark = arguments.mark;
    for (const std::string& word : words) {
      spec::Value& item = list.items.emplace_back();
      item.kind = spec::Value::Kind::scalar;
      item.mark = arguments.mark;
      item.text = word;
    }
    std::erase_if(arguments.entries, [&](const auto& entry) { return entry.key == key; });
    arguments.entries.push_back({key, arguments.mark, std::move(list)});
  }

  void note(const CheckResult& promise) {
    if (promise.type == kIsolated) {
      note_isolated(promise);
      return;
    }
    for (const std::string& with : services_of(promise)) {
      planned_.emplace(promise.from, promise.to, with, promise.family);
      if (const auto service = parse_service(with)) named_.insert(*service);
    }
  }

  /// One verdict about several services and families does not tell of each: its pairs are tried one by one,
  /// too. What it sends by itself is its own choice, not what the network is for, so no other pair is tried
  /// by it.
  void note_isolated(const CheckResult& promise) {
    const auto at = only_address(promise);
    const network::Node* from = intended_.find(promise.from);
    const network::Node* to = intended_.find(promise.to);
    if (from == nullptr || to == nullptr) return;
    for (const std::string& with : services_of(promise)) {
      const auto service = parse_service(with);
      if (!service) continue;
      for (const IpFamily family : kFamilies) {
        const bool probed = !at || at->family() == family;
        if (probed && has(*from, family) && has(*to, family))
          isolated_.push_back({promise.from, promise.to, *service, family});
      }
    }
  }

  std::vector<Service> promised_services() const {
    std::set<Service> services = named_;
    services.insert(Service{});
    return {services.begin(), services.end()};
  }

  std::vector<std::string> nodes_with(IpFamily family) const {
    std::vector<std::string> nodes;
    for (const network::Node& node : intended_.nodes) {
      if (has_node(node.name) && has(node, family)) nodes.push_back(node.name);
    }
    return nodes;
  }

  /// What goes between the same two nodes one after the other: they need ask for each other only once, which
  /// all others on their bridge hear.
  void add_attempts(const std::vector<Service>& services, IpFamily family) {
    const std::vector<std::string> nodes = nodes_with(family);
    for (auto one = nodes.begin(); one != nodes.end(); ++one) {
      for (auto other = one + 1; other != nodes.end(); ++other) {
        for (const Service& with : services) {
          add_attempt({*one, *other, with, family});
          add_attempt({*other, *one, with, family});
        }
      }
    }
  }

  void add_attempt(const Pair& pair) {
    if (planned_.emplace(pair.from, pair.to, pair.with.to_string(), family_text(pair.family)).second)
      plan_.checks.push_back(attempt(pair, common_));
  }

  [[noreturn]] void refuse(std::size_t probes, std::size_t services) const {
    std::set<std::string> nodes;
    for (const IpFamily family : kFamilies) {
      for (const std::string& node : nodes_with(family)) nodes.insert(node);
    }
    throw Error(fmt::format("{}: its matrix is {} probes, of {} nodes and {} services; the most are {}",
                            spec_.name, probes, nodes.size(), services, scope_.most),
                ErrorKind::usage)
        .with_remedy("name some nodes with --nodes A,B,C, or one service with --with ping");
  }

  const spec::Spec& spec_;
  const Scope& scope_;
  Plan& plan_;
  network::Topology intended_;
  std::set<Key> planned_;  ///< by a promise or an attempt
  std::vector<Pair> isolated_;
  std::set<Service> named_;
  std::shared_ptr<Common> common_ = std::make_shared<Common>();
};

}  // namespace

bool may_have_address(const network::Node& node) {
  return std::ranges::any_of(kFamilies, [&](IpFamily family) { return has(node, family); });
}

void complete(const spec::Spec& spec, const Scope& scope, Plan& plan) {
  Completion(spec, scope, plan).complete();
}

}  // namespace plumbline::engine::matrix
