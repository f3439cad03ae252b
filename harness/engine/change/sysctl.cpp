#include "harness/kernel/netns/sysctl.hpp"

#include <fmt/format.h>

#include <utility>

#include "harness/engine/change/place.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["set"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"},
                 "set": {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^net[./]"},
                         "additionalProperties": {"type": ["string", "integer"]}}}
})";

class Sysctl final : public Change {
 public:
  Sysctl(std::string node, std::vector<std::pair<std::string, std::string>> settings)
      : node_(std::move(node)), settings_(std::move(settings)) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    for (const auto& [name, value] : settings_) kernel::write_sysctl(site.network.netns(node_), name, value);
    co_return;
  }

 private:
  std::string node_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "set"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  std::string node = change::read_in(item.arguments, intended);
  std::string text = "sysctl " + node;
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& entry : item.arguments.require("set", item.kind).as_mapping("set")) {
    if (!entry.key.starts_with("net.") && !entry.key.starts_with("net/")) {
      throw spec::SpecError(entry.mark, "only a node's own sysctls can be set, whose names begin with net.");
    }
    const spec::Value& value = entry.value;
    if (!value.quoted && (value.text == "true" || value.text == "false")) {
      value.fail(fmt::format("'{}' must be 0 or 1, not '{}'", entry.key, value.text));
    }
    settings.emplace_back(entry.key, value.as_text(entry.key));
    text += fmt::format(" {}={}", entry.key, settings.back().second);
  }
  if (settings.empty()) item.arguments.fail("sysctl sets nothing: name one under 'set'");
  auto made = std::make_unique<Sysctl>(std::move(node), std::move(settings));
  made->about = std::move(text);
  return made;
}

}  // namespace

ChangeKind sysctl_change() {
  return {"sysctl", "Sets sysctls of a node.", kSchema, parse};
}

}  // namespace plumbline::engine
