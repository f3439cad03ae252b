#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind mtu_too_small_cause();

namespace {

using testing::ip;
using traffic::Direction;

class MtuTooSmall : public testing::Ways {
 protected:
  MtuTooSmall() {
    question.payload_bytes = 1400;
    mtu("container-one", "eth0", 1500);
    mtu("host", "ens4", 1500);
    mtu("gateway", "wan", 1500);
    mtu("internet", "eth0", 1500);
  }
  std::optional<Finding> recognise() { return mtu_too_small_cause().recognise(question, facts); }

  void refuse_locally() {
    question.outcome.status = traffic::ProbeOutcome::Status::local_error;
    question.outcome.error_number = EMSGSIZE;
  }
  /// The gateway refuses the packet of 1428 bytes, and says so by what `node` sees.
  void refuse(const std::string& node, const std::string& interface, Direction direction) {
    see(Leg::error, node, interface, direction, "192.168.16.1", "192.168.16.10");
    traffic::IcmpHeader icmp;
    icmp.type = 3;
    icmp.code = 4;
    icmp.rest = 1300;
    auto quoted = std::make_shared<traffic::Packet>();
    quoted->ip.emplace();
    quoted->ip->source = ip("192.168.16.10");
    quoted->ip->destination = ip("203.0.113.80");
    quoted->ip->total_length = 1428;
    icmp.quoted = quoted;
    last().packet.transport = icmp;
  }
};

TEST_F(MtuTooSmall, IsProvenOfTheSendersOwnInterface) {
  refuse_locally();
  mtu("container-one", "eth0", 1300);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "container-one:eth0 has an MTU of 1300, and the packet is of 1428 bytes.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set dev eth0 mtu 1428  # on container-one"});
}

TEST_F(MtuTooSmall, IsNotClaimedWhereTheSendersInterfaceIsLargeEnough) {
  refuse_locally();
  EXPECT_FALSE(recognise());
}

TEST_F(MtuTooSmall, IsProvenOfARouterThatSaidSo) {
  mtu("gateway", "wan", 1300);
  to_gateway();
  refuse("gateway", "lan", Direction::out);
  refuse("container-one", "eth0", Direction::in);
  question.outcome.status = traffic::ProbeOutcome::Status::icmp_error;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "gateway:wan has an MTU of 1300, and the packet to 203.0.113.80 is of 1428 bytes.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set dev wan mtu 1428  # on gateway"});
}

TEST_F(MtuTooSmall, LooksForTheLinkThatARouterRemembers) {
  mtu("gateway", "wan", 1300);
  to_host();
  refuse("host", "bridge0", Direction::out);
  refuse("container-one", "eth0", Direction::in);
  question.outcome.status = traffic::ProbeOutcome::Status::icmp_error;
  EXPECT_EQ(recognise()->evidence.back(),
            "host remembers it of earlier packets; it is the MTU of gateway:wan");
}

TEST_F(MtuTooSmall, IsNotClaimedWhereTheSenderNeverHeardIt) {
  to_gateway();
  refuse("gateway", "lan", Direction::out);
  EXPECT_FALSE(recognise());
}

TEST_F(MtuTooSmall, IsNotClaimedOfAnotherError) {
  to_gateway();
  refuse("container-one", "eth0", Direction::in);
  std::get<traffic::IcmpHeader>(last().packet.transport).code = 1;
  question.outcome.status = traffic::ProbeOutcome::Status::icmp_error;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
