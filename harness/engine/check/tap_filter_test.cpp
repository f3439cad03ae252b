#include "harness/engine/check/tap_filter.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/traffic/capture/capture.hpp"

namespace plumbline::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

network::Interface interface(const char* name, unsigned index, const char* master = "",
                             std::vector<const char*> addresses = {}) {
  network::Interface made;
  made.name = name;
  made.index = index;
  made.master = master;
  for (const char* address : addresses) made.addresses.push_back(*InterfaceAddress::parse(address));
  return made;
}

network::Node node(network::Role role, std::vector<network::Interface> interfaces) {
  network::Node made;
  made.role = role;
  made.interfaces = std::move(interfaces);
  return made;
}

std::string checked(const network::Node* of) {
  std::string filter = tap_filter(of);
  EXPECT_EQ(traffic::filter_problem(filter, traffic::LinkType::linux_sll2), std::nullopt) << filter;
  return filter;
}

TEST(TapFilter, OfAContainerTakesTheQuestionsPutToItAndItsOwn) {
  const network::Node one =
      node(network::Role::container, {interface("eth0", 2, "", {"192.168.99.11/24", "fd00:99::b/64"})});
  const std::string filter = checked(&one);
  EXPECT_THAT(filter,
              HasSubstr("(arp and arp[6:2] = 1 and ((inbound and (arp[24:4] = 0xc0a8630b)) or outbound))"));
  EXPECT_THAT(filter, HasSubstr("(inbound and (ip6[60:4] = 0xb))"));
}

TEST(TapFilter, OfABridgesNodeLeavesOutTheCopiesOfItsPorts) {
  const network::Node host =
      node(network::Role::host,
           {interface("ens4", 2, "", {"192.168.16.10/24"}), interface("bridge0", 3, "", {"192.168.99.1/24"}),
            interface("veth1", 4, "bridge0"), interface("veth2", 5, "bridge0")});
  const std::string filter = checked(&host);
  EXPECT_THAT(filter, HasSubstr("(inbound or (outbound and (ifindex 2 or ifindex 3)))"));
  EXPECT_THAT(filter, Not(HasSubstr("ifindex 4")));
}

TEST(TapFilter, IsOneThatLibpcapTakesHoweverLargeTheNode) {
  std::vector<network::Interface> many;
  for (unsigned i = 0; i < 600; ++i) {
    many.push_back(interface("veth", i + 2, i % 2 == 0 ? "" : "bridge0"));
    const std::string address = fmt::format("10.1.{}.{}/16", i / 250, i % 250 + 1);
    many.back().addresses.push_back(*InterfaceAddress::parse(address));
  }
  for (const network::Role role : {network::Role::host, network::Role::container, network::Role::world}) {
    const network::Node large = node(role, many);
    checked(&large);
  }
  const network::Node bare = node(network::Role::container, {});
  checked(&bare);
}

TEST(TapFilter, OfAnUnknownNodeTakesAnswersOnly) {
  EXPECT_THAT(checked(nullptr), Not(HasSubstr("arp[6:2] = 1")));
}

}  // namespace
}  // namespace plumbline::engine
