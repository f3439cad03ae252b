#pragma once

#include <string>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/journey/journey.hpp"

/// What causes about services ask.
namespace plumbline::proof {

/// The server as a reader knows it: "lan-resolver (192.168.16.53)".
std::string server_text(const Case& question);

/// The first sighting of what answers the probe at its target: over TCP of bytes, as the handshake is its
/// kernel's. Null: none was seen.
const Sighting* first_answer(const Case& question);
/// The last packet of the probe that came to its target before the answer; `first` where that was the only
/// one. Over TCP the request comes after the handshake.
const Sighting& request_of(const Case& question, const Sighting& first);

/// Whether the target's kernel has a route to where the probe came from: a service whose answer finds none
/// has not been silent.
bool has_way_back(const Case& question, Facts& facts);

/// "ss -lntp 'sport = :80'": shows what listens on the probe's port.
std::string listener_command(const Case& question);

}  // namespace plumbline::proof
