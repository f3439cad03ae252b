#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/rule_words.hpp"

/// What rules do with a ping, with more than one reading of a rule in mind. Pure.
namespace plumbline::engine {

/// `text` in words that are understood of any packet, for one of which it is known that it is an echo
/// request, or with `answer` an echo reply: a condition on ICMP's type either holds or does not.
std::string as_ping_meets(proof::RuleMet::Backend backend, std::string_view text, bool answer);

/// Like firewall::decide, for a ping (an answer where its state is "established"). A rule that may or may not
/// hold leaves nothing open where all that comes behind it ends the same way. The rule that is named stands
/// in `chains`.
proof::firewall::Decision decide_ping(const std::vector<proof::Chain>& chains, const proof::Chain& base,
                                      const proof::firewall::RulePacket& packet);

/// The rule of `chains` that may give the packet a mark of another than 0; null: none does.
struct MarkingRule {
  const proof::Chain* chain = nullptr;
  const proof::Chain::Rule* rule = nullptr;
};
MarkingRule may_mark(const std::vector<proof::Chain>& chains, const proof::firewall::RulePacket& packet);

}  // namespace plumbline::engine
