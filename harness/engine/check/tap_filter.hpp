#pragma once

#include <string>

#include "harness/network/topology/model.hpp"

namespace plumbline::engine {

/// What a node's tap lets through (pcap-filter(7), for SLL2 frames): what probes are made of and what answers
/// them, and of ARP and neighbour discovery what one may have waited for. On a bridge with N ports each
/// question is N frames, and N containers ask at once: so of the questions only those that the node itself
/// asks, that are put to it, or (where it is no container, but on the way) that come in; never the copies
/// that leave by a bridge's ports, nor those that reach containers which they do not concern. `node` is as it
/// was read back; null: nothing is known of it, and only answers are let through.
std::string tap_filter(const network::Node* node);

}  // namespace plumbline::engine
