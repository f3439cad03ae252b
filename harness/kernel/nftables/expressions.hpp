#pragma once

#include "harness/kernel/nftables/ruleset.hpp"

struct nftnl_rule;

namespace plumbline::kernel::nft {

/// Appends what the kernel's virtual machine runs for `rule` in a table of `family`: its matches with the
/// protocols they imply, its counter and its verdict, in nft's own form, so that nft lists them as written.
/// Throws Error of kind usage for a rule that could never match or has no meaning there.
void add_expressions(nftnl_rule* target, Family family, const Rule& rule);

}  // namespace plumbline::kernel::nft
