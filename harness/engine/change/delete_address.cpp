#include <fmt/format.h>

#include "harness/engine/change/place.hpp"
#include "harness/kernel/netlink/address.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["dev", "address"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"}, "dev": {"$ref": "#/$defs/interface"},
                 "address": {"$ref": "#/$defs/network", "description": "With its prefix length."}}
})";

class DeleteAddress final : public Change {
 public:
  DeleteAddress(change::Place place, const InterfaceAddress& address)
      : place_(std::move(place)), address_(address) {}

  void foresee(network::Topology& intended) const override {
    std::erase(change::foreseen(intended, place_).addresses, address_);
  }

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    const unsigned index = change::index_of(site.network, place_);
    change::request(site.network, place_.node, kernel::netlink::delete_address({index, address_}), about);
    co_return;
  }

 private:
  change::Place place_;
  InterfaceAddress address_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "dev", "address"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  change::Place place = change::read_place(item.arguments, intended);
  const spec::Value& address = item.arguments.require("address", item.kind);
  const InterfaceAddress held = address.as_interface_address("address");
  std::string text = fmt::format("delete-address {} {}", place.text(), held.to_string());
  auto made = std::make_unique<DeleteAddress>(std::move(place), held);
  made->about = std::move(text);
  return made;
}

}  // namespace

ChangeKind delete_address_change() {
  return {"delete-address", "Takes an address from an interface.", kSchema, parse};
}

}  // namespace plumbline::engine
