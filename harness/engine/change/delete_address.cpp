#include "harness/engine/change/address.hpp"

namespace plumbline::engine {
namespace {

void foresee(network::Interface& interface, const InterfaceAddress& address) {
  std::erase(interface.addresses, address);
}

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  return change::read_address_change(item, intended, kernel::netlink::delete_address, foresee);
}

}  // namespace

ChangeKind delete_address_change() {
  return {"delete-address", "Takes an address from an interface.", change::kAddressSchema, parse};
}

}  // namespace plumbline::engine
