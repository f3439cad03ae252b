#include "harness/engine/matrix/attempt.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace plumbline::engine::matrix {
namespace {

using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

Evidence evidence(Status status) {
  Evidence evidence;
  evidence.from = "c1";
  evidence.to = {"c2", *IpAddress::parse("192.168.99.12"), "c2"};
  evidence.with = {traffic::Protocol::tcp, 80};
  evidence.outcome.status = status;
  return evidence;
}

proof::Sighting seen(const std::string& node, proof::Leg leg, Direction direction) {
  proof::Sighting sighting;
  sighting.node = node;
  sighting.interface = "eth0";
  sighting.leg = leg;
  sighting.packet.direction = direction;
  return sighting;
}

TEST(MatrixAttempt, OnlyAWholeCaptureShowsThatNobodyWasAskedFor) {
  Evidence lost = evidence(Status::local_error);
  lost.outcome.error_number = EHOSTUNREACH;
  EXPECT_EQ(judge_attempt(lost).verdict, Verdict::fail) << "the sender's own kernel";
  lost.journey.complete = false;
  EXPECT_EQ(judge_attempt(lost).verdict, Verdict::inconclusive);
}

TEST(MatrixAttempt, OnlyAWholeCaptureShowsWhoResetTheConnectionFirst) {
  Evidence reset = evidence(Status::refused);
  reset.journey.sightings = {
      seen("c1", proof::Leg::forward, Direction::out), seen("host", proof::Leg::forward, Direction::in),
      seen("host", proof::Leg::reply, Direction::out), seen("c1", proof::Leg::reply, Direction::in)};
  EXPECT_EQ(judge_attempt(reset).verdict, Verdict::fail) << "host, in the name of c2";
  reset.journey.complete = false;
  EXPECT_EQ(judge_attempt(reset).verdict, Verdict::inconclusive) << "c2's own reset may have been missed";
}

}  // namespace
}  // namespace plumbline::engine::matrix
