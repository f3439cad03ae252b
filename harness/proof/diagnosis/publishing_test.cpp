#include "harness/proof/diagnosis/publishing.hpp"

#include <gtest/gtest.h>

#include "harness/proof/diagnosis/port_behind_nat.hpp"

namespace plumbline::proof::firewall {
namespace {

std::string told(std::string_view text) {
  const Lead lead = lead_of(text);
  return (lead.address ? lead.address->to_string() : "-") + " " +
         (lead.port ? std::to_string(*lead.port) : "-");
}

TEST(Lead, IsReadFromTheWordsOfBoth) {
  EXPECT_EQ(told("tcp dport 8080 counter packets 1 bytes 2 dnat to 192.168.99.11:80"), "192.168.99.11 80");
  EXPECT_EQ(told("tcp dport 8080 dnat ip to 192.168.99.11:80 comment \"to 1:2\""), "192.168.99.11 80");
  EXPECT_EQ(told("tcp dport 8080 dnat ip6 to [fd00:99::11]:80"), "fd00:99::11 80");
  EXPECT_EQ(told("ip daddr 203.0.113.80 dnat to 192.168.16.66"), "192.168.16.66 -");
  EXPECT_EQ(told("ip6 daddr fd00::1 dnat to fd00:99::11"), "fd00:99::11 -");
  EXPECT_EQ(told("-A PREROUTING -p tcp -j DNAT --to-destination 192.168.99.11:80"), "192.168.99.11 80");
  EXPECT_EQ(told("tcp dport 80 redirect to :3128"), "- 3128");
}

TEST(Lead, OfARangeOfPortsIsToldAsSuch) {
  const Lead lead = lead_of("tcp dport 8080 dnat to 192.168.99.11:80-90");
  EXPECT_EQ(lead.address, IpAddress::parse("192.168.99.11"));
  EXPECT_FALSE(lead.port);
  EXPECT_TRUE(lead.some_port);
  EXPECT_FALSE(lead_of("dnat to 192.168.99.11").some_port);
}

TEST(PortBehindNat, IsTakenFromTheRuleThatLeadsToThatVeryAddress) {
  Case question;
  question.port = 8080;
  Passage& passage = question.kernel.passages.emplace_back();
  passage.node = "host";
  RuleMet& met = passage.rules.emplace_back();
  const auto port = [&](std::string_view address) {
    return port_behind_nat(question, "host", IpAddress::parse(address).value());
  };
  met.text = "ip daddr 192.168.16.1 tcp dport 8080 dnat to 192.168.16.10:80";
  EXPECT_EQ(port("192.168.16.10"), 80);
  EXPECT_EQ(port("192.168.16.1"), std::nullopt) << "where it came from, and how the other begins";
  met.text = "ip daddr 192.168.16.10 tcp dport 8080 dnat to 192.168.16.10:80";
  EXPECT_EQ(port("192.168.16.10"), 80);
  met.text = "tcp dport 8080 dnat to 192.168.16.10";
  EXPECT_EQ(port("192.168.16.10"), 8080) << "the port stays";
  met.text = "tcp dport 8080 dnat to 192.168.16.10:80-90";
  EXPECT_EQ(port("192.168.16.10"), std::nullopt);
  met.text = "tcp dport 8080 dnat ip6 to [fd00::1]:80";
  EXPECT_EQ(port("fd00::1"), 80);
}

TEST(Lead, IsNotToldOfWhatLeadsToMany) {
  EXPECT_EQ(told("dnat to 192.168.99.11-192.168.99.14"), "- -");
  EXPECT_EQ(told("dnat to ip saddr map { 10.0.0.1 : 10.0.0.2 }"), "- -");
  EXPECT_EQ(told("tcp dport 80 accept comment \"leads to 192.168.99.11:80\""), "- -");
  EXPECT_EQ(told("xt target \"DNAT\""), "- -");
}

TEST(EnginesChains, AreKnownByTheirNames) {
  EXPECT_TRUE(is_engines("DOCKER"));
  EXPECT_TRUE(is_engines("CNI-DN-26f4920c1ade6b8c12bfb"));
  EXPECT_FALSE(is_engines("PREROUTING"));
}

}  // namespace
}  // namespace plumbline::proof::firewall
