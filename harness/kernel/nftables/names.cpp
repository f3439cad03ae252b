#include "harness/kernel/nftables/names.hpp"

#include <fmt/format.h>

namespace plumbline::kernel::nft {

const char* to_string(Family family) {
  switch (family) {
    case Family::ip:
      return "ip";
    case Family::ip6:
      return "ip6";
    case Family::inet:
      return "inet";
    case Family::bridge:
      return "bridge";
  }
  return "unknown family";
}

const char* to_string(ChainType type) {
  switch (type) {
    case ChainType::filter:
      return "filter";
    case ChainType::nat:
      return "nat";
    case ChainType::route:
      return "route";
  }
  return "unknown type";
}

const char* to_string(Hook hook) {
  switch (hook) {
    case Hook::prerouting:
      return "prerouting";
    case Hook::input:
      return "input";
    case Hook::forward:
      return "forward";
    case Hook::output:
      return "output";
    case Hook::postrouting:
      return "postrouting";
  }
  return "unknown hook";
}

std::string describe(const ObjectRef& object) {
  std::string text = fmt::format("table {} {}", to_string(object.table->family), object.table->name);
  if (object.chain != nullptr) text = fmt::format("chain {} of {}", object.chain->name, text);
  if (object.rule != nullptr) {
    const std::string& comment = object.rule->comment;
    const std::string quoted = comment.empty() ? "" : fmt::format(" (\"{}\")", comment);
    text = fmt::format("rule {}{} of {}", object.rule_number, quoted, text);
  }
  return text;
}

}  // namespace plumbline::kernel::nft
