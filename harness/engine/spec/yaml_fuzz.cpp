#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/engine/spec/value.hpp"

namespace {

using plumbline::spec::Value;

// Whatever was accepted must keep the promises of value.hpp.
void check(const Value& value, std::size_t depth) {
  if (depth > 65 || value.mark.line == 0 || value.mark.column == 0) __builtin_trap();
  for (const Value& item : value.items) check(item, depth + 1);
  for (const Value::Entry& entry : value.entries) {
    if (value.find(entry.key) != &entry.value) __builtin_trap();
    check(entry.value, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT(*-reinterpret-cast)
  try {
    check(plumbline::spec::parse_yaml(text, "fuzz.yaml"), 1);
  } catch (const plumbline::spec::SpecError&) {  // refused with a place and a reason, as it should be
  }
  return 0;
}
