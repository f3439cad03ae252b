#include "harness/proof/diagnosis/serving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace plumbline::proof {

std::string server_text(const Case& question) {
  const std::string address = question.to.to_string();
  return question.to_node.empty() ? address : fmt::format("{} ({})", question.to_node, address);
}

const Sighting* first_answer(const Case& question) {
  const auto& sightings = question.journey.sightings;
  const auto found = std::ranges::find_if(sightings, [&](const Sighting& each) {
    if (each.leg != Leg::reply || each.node != question.to_node) return false;
    const auto* tcp = std::get_if<traffic::TcpHeader>(&each.packet.transport);
    return tcp == nullptr || each.packet.payload_total > 0;
  });
  return found == sightings.end() ? nullptr : &*found;
}

const Sighting& request_of(const Case& question, const Sighting& first) {
  const Sighting* last = &first;
  for (const Sighting& each : question.journey.sightings) {
    const auto* tcp = std::get_if<traffic::TcpHeader>(&each.packet.transport);
    const bool speaks = tcp == nullptr || each.packet.payload_total > 0;
    if (each.is(Leg::forward, question.to_node, traffic::Direction::in) && speaks) {
      last = &each;
      break;
    }
  }
  return *last;
}

bool has_way_back(const Case& question, Facts& facts) {
  const Sighting* asked = question.journey.arrived(question.to_node);
  if (asked == nullptr || !asked->packet.ip) return false;
  RouteQuestion back;
  back.to = asked->packet.ip->source;
  return facts.route(question.to_node, back).found();
}

std::string listener_command(const Case& question) {
  const bool tcp = question.promise == Case::Promise::resolve ? question.dns_over_tcp
                                                              : question.protocol == traffic::Protocol::tcp;
  return fmt::format("ss {} 'sport = :{}'", tcp ? "-lntp" : "-lnup", question.port);
}

}  // namespace plumbline::proof
