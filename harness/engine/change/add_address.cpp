#include "harness/engine/change/address.hpp"

namespace plumbline::engine {
namespace {

void foresee(network::Interface& interface, const InterfaceAddress& address) {
  interface.addresses.push_back(address);
}

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  return change::read_address_change(item, intended, kernel::netlink::add_address, foresee);
}

}  // namespace

ChangeKind add_address_change() {
  return {"add-address", "Gives an interface an address.", change::kAddressSchema, parse};
}

}  // namespace plumbline::engine
