#pragma once

#include <cstddef>
#include <string>

#include "harness/kernel/nftables/ruleset.hpp"

namespace plumbline::kernel::nft {

/// As nft writes it: "inet".
const char* to_string(Family family);
const char* to_string(ChainType type);
/// As nft writes it: "prerouting".
const char* to_string(Hook hook);

/// One object of a ruleset; points into it.
struct ObjectRef {
  const Table* table = nullptr;
  const Chain* chain = nullptr;  ///< absent: the table itself
  const Rule* rule = nullptr;    ///< absent: the chain itself
  std::size_t rule_number = 0;   ///< from 1, within its chain
};

/// `rule 2 ("keep out") of chain forward of table inet filter`
std::string describe(const ObjectRef& object);

}  // namespace plumbline::kernel::nft
