#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::proof {

/// What the conntracks of nodes know of a probe's flow, asked after it: a socket for each node, one question
/// for each way that its packets came in.
///
/// A miss proves nothing. Conntrack forgets a connection that was refused by a reset at once, never keeps
/// what was dropped on its first way through, and tracks nothing where no rule needs it.
class TranslationWitness {
 public:
  struct Source {
    std::string node;
    const kernel::Netns* netns = nullptr;
  };

  TranslationWitness();
  TranslationWitness(const TranslationWitness&) = delete;
  TranslationWitness& operator=(const TranslationWitness&) = delete;
  ~TranslationWitness();

  /// From now on these nodes can be asked: others are let go of. One whose name means another namespace now
  /// is another node. Nothing is opened before it is asked.
  void watch(const std::vector<Source>& sources);

  /// For each node that a packet of the probe came into or was sent from, in the order of the way, how its
  /// conntrack knows the flow; nodes whose conntrack does not know it, or cannot be asked, are left out. A
  /// flow that crosses a node twice (hairpin) is told for each time. Of other zones than 0 nothing is known.
  std::vector<Translation> translations(const Journey& journey);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::proof
