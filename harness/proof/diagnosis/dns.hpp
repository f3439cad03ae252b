#pragma once

#include <optional>
#include <string>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/serving.hpp"

/// What causes about names ask.
namespace plumbline::proof {

/// Whether a server on a loopback of the asker's own gave the answer, as an engine's does in each container.
/// It may ask on with the very question that it was asked: then the first to answer is another.
bool answered_on_loopback(const Journey& journey, const std::string& from, const IpAddress& server);
/// Who answered the question: its node, empty for one beyond what we watch. Absent: nobody was seen to.
std::optional<std::string> answerer(const Case& question);
/// A DNS message came back, and from the server that was asked as far as anything shows.
bool answered_by_server(const Case& question);
/// `node` runs a DNS server of ours at the port.
bool serves_dns(Facts& facts, const std::string& node, std::uint16_t port);

/// How the question fared over one of UDP and TCP, where the other may be better off.
struct OneTransport {
  bool proven = false;
  std::string how;                    ///< "refuses it with a reset"
  std::vector<std::string> evidence;  ///< further lines
  std::vector<std::string> fix;
};
/// The question got as far as the server and failed there by its transport alone; or a firewall's policy
/// stopped it in a chain that lets the other transport's port through. Absent: nothing shows that.
std::optional<OneTransport> transport_alone(const Case& question, Facts& facts);

}  // namespace plumbline::proof
