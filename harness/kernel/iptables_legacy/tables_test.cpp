#include "harness/kernel/iptables_legacy/tables.hpp"

#include <gtest/gtest.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <cstring>

namespace plumbline::kernel::iptables {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Made {
  TableInfo info;
  Bytes entries;
};

template <class Target>
std::uint32_t add(Bytes& to, const Target& target) {
  ipt_entry entry{};
  entry.target_offset = sizeof entry;
  entry.next_offset = sizeof entry + sizeof target;
  const std::size_t at = to.size();
  to.resize(at + entry.next_offset);
  std::memcpy(to.data() + at, &entry, sizeof entry);
  std::memcpy(to.data() + at + sizeof entry, &target, sizeof target);
  return static_cast<std::uint32_t>(at);
}

/// Adds a rule that matches everything. Returns its offset.
std::uint32_t add_standard(Bytes& to, int verdict) {
  xt_standard_target target{};
  target.target.u.user.target_size = sizeof target;
  target.verdict = verdict;
  return add(to, target);
}

std::uint32_t add_head(Bytes& to, const std::string& name) {
  xt_error_target target{};
  target.target.u.user.target_size = sizeof target;
  std::string_view(XT_ERROR_TARGET).copy(target.target.u.user.name, sizeof target.target.u.user.name - 1);
  name.copy(target.errorname, sizeof target.errorname - 1);
  return add(to, target);
}

constexpr std::size_t kStandardSize = sizeof(ipt_entry) + sizeof(xt_standard_target);
constexpr std::size_t kHeadSize = sizeof(ipt_entry) + sizeof(xt_error_target);

/// FORWARD with one rule, which jumps to `guard`, whose one rule drops; INPUT is empty.
Made forward_and_guard() {
  Made made;
  made.info.valid_hooks = 1U << NF_INET_LOCAL_IN | 1U << NF_INET_FORWARD;
  made.info.hook_entry[NF_INET_LOCAL_IN] = made.info.underflow[NF_INET_LOCAL_IN] =
      add_standard(made.entries, -NF_ACCEPT - 1);
  const auto guard = static_cast<int>(3 * kStandardSize + kHeadSize);
  made.info.hook_entry[NF_INET_FORWARD] = add_standard(made.entries, guard);
  made.info.underflow[NF_INET_FORWARD] = add_standard(made.entries, -NF_DROP - 1);
  add_head(made.entries, "guard");
  EXPECT_EQ(add_standard(made.entries, -NF_DROP - 1), static_cast<std::uint32_t>(guard));
  add_standard(made.entries, XT_RETURN);
  add_head(made.entries, "ERROR");
  return made;
}

TEST(LegacyTables, ReadsChainsRulesAndPolicies) {
  const Made made = forward_and_guard();
  const Table table = parse_table(IpFamily::v4, made.info, made.entries);
  ASSERT_EQ(table.size(), 3U);
  EXPECT_TRUE(table.at("INPUT").rules.empty());
  EXPECT_EQ(table.at("INPUT").policy, "accept");
  ASSERT_EQ(table.at("FORWARD").rules.size(), 1U);
  EXPECT_EQ(table.at("FORWARD").rules[0].text, "-A FORWARD -j guard");
  EXPECT_EQ(table.at("FORWARD").rules[0].verdict, "jump guard");
  EXPECT_EQ(table.at("FORWARD").policy, "drop");
  ASSERT_EQ(table.at("guard").rules.size(), 1U);
  EXPECT_EQ(table.at("guard").rules[0].verdict, "drop");
  EXPECT_EQ(table.at("guard").policy, "");
}

TEST(LegacyTables, ReadsNothingBeyondACutTable) {
  const Made made = forward_and_guard();
  for (std::size_t length = 0; length < made.entries.size(); ++length) {
    const Bytes cut(made.entries.begin(), made.entries.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_LE(parse_table(IpFamily::v4, made.info, cut).size(), 3U) << length;
    parse_table(IpFamily::v6, made.info, cut);
  }
}

TEST(LegacyTables, AnyByteMayLie) {
  const Made made = forward_and_guard();
  for (std::size_t at = 0; at < made.entries.size(); ++at) {
    for (const std::uint8_t value : Bytes{0, 1, 127, 128, 255}) {
      Bytes wrong = made.entries;
      wrong[at] = value;
      EXPECT_LE(parse_table(IpFamily::v4, made.info, wrong).size(), 4U);
    }
  }
}

}  // namespace
}  // namespace plumbline::kernel::iptables
