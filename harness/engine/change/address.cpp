#include "harness/engine/change/address.hpp"

#include <fmt/format.h>

#include <utility>

namespace plumbline::engine::change {
namespace {

using Make = kernel::netlink::Message (*)(const kernel::netlink::Address&);
using Foresee = void (*)(network::Interface&, const InterfaceAddress&);

class AddressChange final : public Change {
 public:
  AddressChange(Place place, const InterfaceAddress& address, Make message, Foresee in_model)
      : place_(std::move(place)), address_(address), message_(message), in_model_(in_model) {}

  void foresee(network::Topology& intended) const override {
    in_model_(foreseen(intended, place_), address_);
  }

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    const unsigned index = index_of(site.network, place_);
    request(site.network, place_.node, message_({index, address_}), about);
    co_return;
  }

 private:
  Place place_;
  InterfaceAddress address_;
  Make message_;
  Foresee in_model_;
};

}  // namespace

const std::string_view kAddressSchema = R"({
  "type": "object", "required": ["dev", "address"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"}, "dev": {"$ref": "#/$defs/interface"},
                 "address": {"$ref": "#/$defs/held-address"}}
})";

std::unique_ptr<Change> read_address_change(const spec::CheckItem& item, const network::Topology& intended,
                                            Make message, Foresee in_model) {
  constexpr std::string_view keys[] = {"in", "dev", "address"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  Place place = read_place(item.arguments, intended);
  const spec::Value& value = item.arguments.require("address", item.kind);
  const InterfaceAddress address = value.as_interface_address("address");
  if (value.text.find('/') == std::string::npos) {
    value.fail(fmt::format("'address' must have a prefix length, as in {}/24", value.text));
  }
  std::string text = fmt::format("{} {} {}", item.kind, place.text(), address.to_string());
  auto change = std::make_unique<AddressChange>(std::move(place), address, message, in_model);
  change->about = std::move(text);
  return change;
}

}  // namespace plumbline::engine::change
