#include <fmt/format.h>

#include <utility>

#include "harness/engine/change/place.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["are"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"},
                 "are": {"description": "The addresses that its resolv.conf names from then on; [] for none.",
                         "oneOf": [{"$ref": "#/$defs/address"}, {"type": "array", "items": {"$ref": "#/$defs/address"}}]}}
})";

class Resolvers final : public Change {
 public:
  Resolvers(std::string node, std::vector<IpAddress> resolvers)
      : node_(std::move(node)), resolvers_(std::move(resolvers)) {}

  void foresee(network::Topology& intended) const override { intended.find(node_)->resolvers = resolvers_; }

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    if (network::Node* node = site.declared.find(node_)) node->resolvers = resolvers_;
    co_return;
  }

 private:
  std::string node_;
  std::vector<IpAddress> resolvers_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "are"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  std::string node = change::read_in(item.arguments, intended);
  std::vector<IpAddress> resolvers;
  std::string text = fmt::format("resolvers {}", node);
  for (const spec::Value& each : item.arguments.require("are", item.kind).as_list()) {
    resolvers.push_back(each.as_address("are"));
    text += " " + resolvers.back().to_string();
  }
  if (resolvers.empty()) text += " none";
  auto made = std::make_unique<Resolvers>(std::move(node), std::move(resolvers));
  made->about = std::move(text);
  return made;
}

}  // namespace

ChangeKind resolvers_change() {
  return {"resolvers", "Sets what a node's resolv.conf names.", kSchema, parse};
}

}  // namespace plumbline::engine
