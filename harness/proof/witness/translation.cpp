#include "harness/proof/witness/translation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "harness/base/error.hpp"
#include "harness/kernel/conntrack/conntrack.hpp"

namespace plumbline::proof {
namespace {

namespace conntrack = kernel::conntrack;

constexpr std::uint8_t kEchoRequest6 = 128, kEchoReply6 = 129;

/// What one probe may be asked about: more ways through one network than any real one has.
constexpr std::size_t kMostQuestions = 64;

/// Absent: nothing that conntrack knows flows by.
std::optional<conntrack::Tuple> tuple_of(const traffic::Packet& packet) {
  if (!packet.ip || packet.ip->fragment_offset != 0) return std::nullopt;
  conntrack::Tuple tuple;
  tuple.source = packet.ip->source;
  tuple.destination = packet.ip->destination;
  tuple.protocol = packet.ip->protocol;
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) {
    tuple.source_port = tcp->source_port;
    tuple.destination_port = tcp->destination_port;
  } else if (const auto* udp = std::get_if<traffic::UdpHeader>(&packet.transport)) {
    tuple.source_port = udp->source_port;
    tuple.destination_port = udp->destination_port;
  } else if (const auto* icmp = std::get_if<traffic::IcmpHeader>(&packet.transport);
             icmp != nullptr && icmp->is_echo_request()) {
    tuple.echo_id = icmp->echo_id;
    tuple.icmp_type = icmp->type;
    tuple.icmp_code = icmp->code;
  } else {
    return std::nullopt;
  }
  return tuple;
}

/// As an answer to it comes.
conntrack::Tuple turned(conntrack::Tuple tuple) {
  std::swap(tuple.source, tuple.destination);
  std::swap(tuple.source_port, tuple.destination_port);
  if (tuple.icmp_type != 0) tuple.icmp_type = tuple.icmp_type == kEchoRequest6 ? kEchoReply6 : 0;
  return tuple;
}

Translation::Tuple plain(const conntrack::Tuple& tuple) {
  const bool echo = tuple.source_port == 0 && tuple.destination_port == 0;
  return {tuple.source, tuple.destination, echo ? tuple.echo_id : tuple.source_port,
          echo ? tuple.echo_id : tuple.destination_port};
}

Translation told(const std::string& node, const conntrack::Entry& entry) {
  Translation translation;
  translation.node = node;
  translation.original = plain(entry.original);
  translation.reply = plain(entry.reply);
  const Translation::Tuple& there = translation.original;
  const Translation::Tuple& back = translation.reply;
  // By the tuples: a flow with a mapping that changes nothing has the kernel's NAT bits too.
  translation.source_translated =
      there.source != back.destination || there.source_port != back.destination_port;
  translation.destination_translated =
      there.destination != back.source || there.destination_port != back.source_port;
  translation.answered = entry.seen_reply;
  translation.zone = entry.zone;
  translation.mark = entry.mark;
  return translation;
}

struct Question {
  std::string node;
  conntrack::Tuple tuple;
  bool as_reply = false;  ///< the tuple is of the flow's other direction
  friend bool operator==(const Question&, const Question&) = default;

  bool fits(const conntrack::Entry& entry) const {
    return (as_reply ? entry.reply : entry.original) == tuple;
  }
};

/// As the packets came to each node's conntrack. What its own processes sent has been translated by the time
/// that a tap sees it: so it is asked for by what an answer to it looks like.
std::vector<Question> questions(const Journey& journey) {
  std::vector<Question> asked;
  const auto ask = [&](const Sighting& sighting, bool sent_here) {
    const auto tuple = tuple_of(sighting.packet);
    if (!tuple || asked.size() >= kMostQuestions) return;
    const Question question{sighting.node, sent_here ? turned(*tuple) : *tuple, sent_here};
    if (std::ranges::find(asked, question) == asked.end()) asked.push_back(question);
  };
  std::optional<std::string> source;
  for (const Sighting& sighting : journey.sightings) {
    if (sighting.leg != Leg::forward) continue;
    if (!source) source = sighting.node;
    const bool out = sighting.packet.direction == traffic::Direction::out;
    const bool sent_here = sighting.node == *source && (out || sighting.interface == "lo");
    if (!out || sent_here) ask(sighting, sent_here);
  }
  return asked;
}

/// One node's socket, opened when it is first asked.
class NodeConntrack {
 public:
  explicit NodeConntrack(const kernel::Netns& netns)
      : netns_(kernel::Netns::open(fmt::format("/proc/self/fd/{}", netns.fd()))), inode_(netns.inode()) {}

  bool is(const kernel::Netns& netns) const { return netns.inode() == inode_; }

  std::optional<conntrack::Entry> look_up(const conntrack::Tuple& tuple) {
    if (refused_) return std::nullopt;
    try {
      if (!connection_) connection_.emplace(netns_);
      return connection_->look_up(tuple);
    } catch (const Error&) {
      // No ctnetlink, or no right to ask: it will say the same the next time.
      refused_ = true;
      return std::nullopt;
    }
  }

 private:
  kernel::Netns netns_;  ///< our own: the node may be gone before we are told
  std::uint64_t inode_;
  std::optional<conntrack::Connection> connection_;
  bool refused_ = false;
};

}  // namespace

class TranslationWitness::Impl {
 public:
  void watch(const std::vector<Source>& sources) {
    std::map<std::string, NodeConntrack> kept;
    for (const Source& source : sources) {
      const auto known = nodes_.find(source.node);
      if (known != nodes_.end() && known->second.is(*source.netns)) {
        kept.insert(nodes_.extract(known));
      } else {
        kept.try_emplace(source.node, *source.netns);
      }
    }
    nodes_ = std::move(kept);
  }

  std::vector<Translation> translations(const Journey& journey) {
    std::vector<Translation> found;
    for (const Question& question : questions(journey)) {
      const auto node = nodes_.find(question.node);
      if (node == nodes_.end()) continue;
      const auto entry = node->second.look_up(question.tuple);
      // The kernel finds a flow by either of its tuples.
      if (entry && question.fits(*entry)) found.push_back(told(question.node, *entry));
    }
    return found;
  }

 private:
  std::map<std::string, NodeConntrack> nodes_;
};

TranslationWitness::TranslationWitness() : impl_(std::make_unique<Impl>()) {}

TranslationWitness::~TranslationWitness() = default;

void TranslationWitness::watch(const std::vector<Source>& sources) {
  impl_->watch(sources);
}

std::vector<Translation> TranslationWitness::translations(const Journey& journey) {
  return impl_->translations(journey);
}

}  // namespace plumbline::proof
