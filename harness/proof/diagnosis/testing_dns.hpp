#pragma once

#include <gtest/gtest.h>

#include <string>

#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof::testing {

/// For tests of causes of names: container-one has asked lan-resolver for www.example.test, and nothing is
/// seen yet.
class DnsCase : public ::testing::Test {
 protected:
  DnsCase() {
    question.promise = Case::Promise::resolve;
    question.from = "container-one";
    question.host = "host";
    question.to = ip("192.168.16.53");
    question.to_node = "lan-resolver";
    question.port = 53;
    question.name = "www.example.test";
    facts.add("container-one", network::Role::container);
    facts.add("host", network::Role::host).resolvers = {ip("192.168.16.53")};
    network::Node& server = facts.add("lan-resolver", network::Role::world);
    network::Service& dns = server.services.emplace_back();
    dns.kind = network::Service::Kind::dns;
    dns.port = 53;
    facts.routes["lan-resolver 192.168.16.10"].dev = "eth0";
    outcome(traffic::DnsOutcome::Status::timeout, traffic::ProbeOutcome::Status::timeout);
  }
  void outcome(traffic::DnsOutcome::Status dns, traffic::ProbeOutcome::Status status) {
    question.dns.emplace().status = dns;
    question.outcome.status = status;
  }
  void asked() {
    see(question, Leg::forward, "container-one", "eth0", traffic::Direction::out, "192.168.99.11",
        "192.168.16.53");
    see(question, Leg::forward, "lan-resolver", "eth0", traffic::Direction::in, "192.168.16.10",
        "192.168.16.53");
  }
  void answered(const std::string& node = "lan-resolver") {
    see(question, Leg::reply, node, "eth0", traffic::Direction::out, "192.168.16.53", "192.168.16.10");
  }

  Case question;
  FakeFacts facts;
};

}  // namespace plumbline::proof::testing
