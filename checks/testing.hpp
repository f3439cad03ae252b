#pragma once

#include <string>
#include <vector>

#include "harness/engine/check/evidence.hpp"

/// For the unit tests of judgements: evidence made by hand.
namespace plumbline::checks::testing_support {

inline proof::Sighting sighting(proof::Leg leg, std::string node, std::string interface,
                                traffic::Direction direction, const char* source, const char* destination) {
  proof::Sighting s;
  s.leg = leg;
  s.node = std::move(node);
  s.interface = std::move(interface);
  s.packet.direction = direction;
  s.packet.ip = traffic::IpHeader{};
  s.packet.ip->source = *IpAddress::parse(source);
  s.packet.ip->destination = *IpAddress::parse(destination);
  return s;
}

/// A probe of container-one (192.168.99.11) to `internet` (203.0.113.80) that has done nothing yet.
inline engine::Evidence evidence() {
  engine::Evidence e;
  e.from = "container-one";
  e.to = {"internet", *IpAddress::parse("203.0.113.80"), "internet"};
  e.with = {traffic::Protocol::tcp, 80};
  e.outcome.identity.source = *IpAddress::parse("192.168.99.11");
  return e;
}

inline void add(engine::Evidence& e, proof::Leg leg, std::string node, std::string interface,
                traffic::Direction direction, const char* source = "192.168.99.11",
                const char* destination = "203.0.113.80") {
  e.journey.sightings.push_back(
      sighting(leg, std::move(node), std::move(interface), direction, source, destination));
}

/// Left the container and came to the host.
inline engine::Evidence at_the_guard() {
  engine::Evidence e = evidence();
  add(e, proof::Leg::forward, "container-one", "eth0", traffic::Direction::out);
  add(e, proof::Leg::forward, "host", "veth1", traffic::Direction::in);
  return e;
}

/// The whole way there and back, through masquerade on ens4.
inline engine::Evidence there_and_back() {
  using traffic::Direction;
  engine::Evidence e = at_the_guard();
  e.outcome.status = traffic::ProbeOutcome::Status::replied;
  add(e, proof::Leg::forward, "host", "ens4", Direction::out, "192.168.16.10");
  add(e, proof::Leg::forward, "internet", "eth0", Direction::in, "192.168.16.10");
  add(e, proof::Leg::reply, "internet", "eth0", Direction::out, "203.0.113.80", "192.168.16.10");
  add(e, proof::Leg::reply, "host", "ens4", Direction::in, "203.0.113.80", "192.168.16.10");
  add(e, proof::Leg::reply, "container-one", "eth0", Direction::in, "203.0.113.80", "192.168.99.11");
  return e;
}

}  // namespace plumbline::checks::testing_support
