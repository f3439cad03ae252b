#include "harness/engine/change/place.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["rules"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"}, "rules": {"type": "string", "minLength": 1, "description": "As nft -f takes them."}}
})";

class Nft final : public Change {
 public:
  Nft(std::string node, std::string rules) : node_(std::move(node)), rules_(std::move(rules)) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    kernel::nft::load_text(site.network.netns(node_), rules_, where);
    co_return;
  }

 private:
  std::string node_, rules_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "rules"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  std::string node = change::read_in(item.arguments, intended);
  const spec::Value& value = item.arguments.require("rules", item.kind);
  const std::string& rules = value.as_text("rules");
  if (rules.find_first_not_of(" \t\n") == std::string::npos)
    value.fail("'rules' is empty: nft loads nothing");
  const std::string text = "nft " + node;
  auto made = std::make_unique<Nft>(std::move(node), rules);
  made->about = text;
  return made;
}

}  // namespace

ChangeKind nft_change() {
  return {"nft", "Loads rules in nft's own language.", kSchema, parse};
}

}  // namespace plumbline::engine
