#include "harness/engine/change/place.hpp"
#include "harness/kernel/netlink/link.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["dev"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"}, "dev": {"$ref": "#/$defs/interface"}}
})";

class DeleteLink final : public Change {
 public:
  explicit DeleteLink(change::Place place) : place_(std::move(place)) {}

  void foresee(network::Topology& intended) const override {
    network::Node& node = *intended.find(place_.node);
    const network::Interface* gone = node.find_interface(place_.dev);
    if (gone == nullptr) return;
    if (const auto peer = gone->peer) {
      network::Node* other = intended.find(peer->node);
      if (other != nullptr) {
        std::erase_if(other->interfaces, [&](const auto& each) { return each.name == peer->interface; });
      }
    }
    std::erase_if(node.interfaces, [&](const auto& each) { return each.name == place_.dev; });
  }

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    change::request(site.network, place_.node,
                    kernel::netlink::delete_link(change::index_of(site.network, place_)), about);
    co_return;
  }

 private:
  change::Place place_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "dev"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  change::Place place = change::read_place(item.arguments, intended);
  const std::string text = place.text();
  auto made = std::make_unique<DeleteLink>(std::move(place));
  made->about = "delete-link " + text;
  return made;
}

}  // namespace

ChangeKind delete_link_change() {
  return {"delete-link", "Takes an interface away; of a veth both ends go.", kSchema, parse};
}

}  // namespace plumbline::engine
