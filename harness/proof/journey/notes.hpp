#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/proof/journey/journey.hpp"

namespace plumbline::proof {

/// What looks like an error in a packet and is a device's work left undone, or really is one: "checksum left
/// to the device", "bad checksum", "segments joined (offload)"; several joined by "; "; empty: nothing.
/// `mtu`: of the interface that saw it; 0: not known.
std::string offload_note(const Sighting& sighting, std::uint32_t mtu);

/// What is not as the sender of the leg made it. A port counts, and so does the id of an echo.
struct Translated {
  bool source = false;
  bool destination = false;
  friend bool operator==(const Translated&, const Translated&) = default;
};

/// Compared with the first sighting of the same leg, which is what its sender made; where several nodes made
/// answers (or errors), with all of theirs. An error's quote is left out, for it is not its sender's. Nothing
/// for ARP and neighbour discovery, nor beyond the end.
Translated translated_at(const Journey& journey, std::size_t index);

}  // namespace plumbline::proof
