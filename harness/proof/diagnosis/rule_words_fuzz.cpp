#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/proof/diagnosis/rule_words.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumbline::proof;
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT(*-reinterpret-cast)
  for (const auto backend : {RuleMet::Backend::nftables, RuleMet::Backend::iptables_legacy}) {
    const firewall::RuleWords words = firewall::read_rule(backend, text);
    // What is no verdict must not look like one that stops packets for certain.
    if (text.empty() && words.stops()) __builtin_trap();
    if (!firewall::covers(words, words, true) && !words.doubt) __builtin_trap();
  }
  return 0;
}
