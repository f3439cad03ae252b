#include "harness/proof/witness/copies.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace plumbline::proof {
namespace {

using Copies = Passage::Copies;

bool same_packet(const Passage& a, const Passage& b) {
  return a.node == b.node && a.leg == b.leg && a.identity == b.identity;
}

/// Where a bridge has chosen by which port the frame is to leave.
bool is_sent(const Passage& passage) {
  return passage.bridge && (passage.hook == Hook::forward || passage.hook == Hook::output);
}

bool is_stopped(const Passage& passage) {
  return std::ranges::any_of(passage.rules, &RuleMet::stops);
}

class Copying {
 public:
  explicit Copying(const std::vector<Passage>& passages) : passages_(passages) {}

  Copies of(std::size_t index) const {
    const Passage& passage = passages_[index];
    // At prerouting there are no copies yet.
    if (!passage.bridge || passage.hook == Hook::prerouting || !is_stopped(passage)) return Copies::none;
    const Passage& sent = origin(index);
    Copies copies = Copies::none;
    for (std::size_t i = 0; i < passages_.size(); ++i) {
      const Passage& other = passages_[i];
      const bool sibling = is_sent(other) && same_packet(other, sent) && other.iif == sent.iif;
      if (!sibling || other.oif == sent.oif) continue;
      if (!ended(i)) return Copies::went_on;
      copies = Copies::same_end;
    }
    return taken_in(index, sent) ? Copies::went_on : copies;
  }

 private:
  /// Of a frame on its way out: where it was sent there.
  const Passage& origin(std::size_t index) const {
    const Passage& passage = passages_[index];
    if (passage.hook != Hook::postrouting) return passage;
    for (std::size_t i = index; i > 0; --i) {
      const Passage& before = passages_[i - 1];
      if (is_sent(before) && same_packet(before, passage) && before.oif == passage.oif) return before;
    }
    return passage;
  }

  /// The copy that was sent there got no further.
  bool ended(std::size_t index) const {
    const Passage& sent = passages_[index];
    if (is_stopped(sent)) return true;
    for (std::size_t i = index + 1; i < passages_.size(); ++i) {
      const Passage& later = passages_[i];
      if (!later.bridge || !same_packet(later, sent) || later.oif != sent.oif) continue;
      if (later.hook == Hook::postrouting) return is_stopped(later);
    }
    return false;
  }

  /// The bridge took a copy for itself, too, that IP did not throw away for its address.
  bool taken_in(std::size_t index, const Passage& sent) const {
    if (passages_[index].hook == Hook::input) return false;
    bool in = false;
    for (std::size_t i = index + 1; i < passages_.size(); ++i) {
      const Passage& later = passages_[i];
      if (!same_packet(later, sent)) continue;
      if (later.bridge && later.hook == Hook::input && later.iif == sent.iif) in = !is_stopped(later);
      if (in && !later.bridge && later.hook == Hook::prerouting) return true;
    }
    return false;
  }

  const std::vector<Passage>& passages_;
};

/// Whether two copies of a frame may fare differently at it.
bool may_tell_copies_apart(const kernel::nft::ListedRule& rule) {
  constexpr std::array<std::string_view, 12> words{"oif",    "obr",    "limit",   "quota",
                                                   "numgen", "random", "queue",   "update",
                                                   "delete", "add @",  "# count", "statistic"};
  return rule.text.empty() || std::ranges::any_of(words, [&](std::string_view word) {
           return rule.text.find(word) != std::string::npos;
         });
}

}  // namespace

void note_copies(std::vector<Passage>& passages) {
  const Copying copying(passages);
  for (std::size_t i = 0; i < passages.size(); ++i) passages[i].copies = copying.of(i);
}

bool is_the_end(const Passage& dropped, const kernel::nft::Listing& rules) {
  if (!dropped.bridge || dropped.hook == Hook::prerouting) return true;
  if (dropped.copies == Copies::went_on) return false;
  // A bridge sends what it has to send before it takes in its own copy.
  if (dropped.hook == Hook::input) return true;
  return std::ranges::none_of(rules.rules, [](const auto& rule) {
    return std::get<0>(rule.first) == "bridge" && may_tell_copies_apart(rule.second);
  });
}

}  // namespace plumbline::proof
