#include <fmt/format.h>

#include <optional>

#include "harness/engine/change/place.hpp"
#include "harness/kernel/netlink/link.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["dev"], "additionalProperties": false,
  "anyOf": [{"required": ["up"]}, {"required": ["mtu"]}, {"required": ["master"]}],
  "properties": {
    "in": {"$ref": "#/$defs/name"}, "dev": {"$ref": "#/$defs/interface"},
    "up": {"type": "boolean"},
    "mtu": {"type": "integer", "minimum": 68, "maximum": 65535},
    "master": {"$ref": "#/$defs/interface", "description": "A bridge in the same node; none: no longer a port."}
  }
})";

struct Wanted {
  std::optional<bool> up;
  std::optional<std::uint32_t> mtu;
  std::optional<std::string> master;
};

class SetLink final : public Change {
 public:
  SetLink(change::Place place, Wanted wanted) : place_(std::move(place)), wanted_(std::move(wanted)) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    kernel::netlink::LinkChange link;
    link.index = change::index_of(site.network, place_);
    link.up = wanted_.up;
    link.mtu = wanted_.mtu;
    if (wanted_.master) {
      const bool none = *wanted_.master == "none";
      link.master = none ? 0U : change::index_of(site.network, {place_.node, *wanted_.master});
    }
    change::request(site.network, place_.node, kernel::netlink::set_link(link), about);
    co_return;
  }

 private:
  change::Place place_;
  Wanted wanted_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "dev", "up", "mtu", "master"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  change::Place place = change::read_place(item.arguments, intended);
  std::string text = "set-link " + place.text();
  Wanted wanted;
  if (const spec::Value* up = item.arguments.find("up")) {
    wanted.up = up->as_bool("up");
    text += *wanted.up ? " up" : " down";
  }
  if (const spec::Value* mtu = item.arguments.find("mtu")) {
    wanted.mtu = static_cast<std::uint32_t>(mtu->as_number("mtu", 68, 65535));
    text += fmt::format(" mtu {}", *wanted.mtu);
  }
  if (const spec::Value* master = item.arguments.find("master")) {
    wanted.master = master->as_name("master", change::kLongestInterface);
    text += " master " + *wanted.master;
  }
  if (!wanted.up && !wanted.mtu && !wanted.master) {
    item.arguments.fail("set-link sets nothing: say `up`, `mtu` or `master`");
  }
  auto made = std::make_unique<SetLink>(std::move(place), std::move(wanted));
  made->about = std::move(text);
  return made;
}

}  // namespace

ChangeKind set_link_change() {
  return {"set-link", "Brings an interface up or down, sets its MTU, or makes it a port of a bridge.",
          kSchema, parse};
}

}  // namespace plumbline::engine
