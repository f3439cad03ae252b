#pragma once

#include <cstddef>

#include "harness/engine/check/stage.hpp"

namespace plumbline::engine::matrix {

/// The kernel keeps so many neighbours in all namespaces of the machine together (gc_thresh3, 1,024, which is
/// not for us to change), and has nothing sent to one more until some are five seconds old. All pairs of a
/// hundred containers are ten times as many: so where a network has many nodes, they are made to forget each
/// other now and then. What was set by hand stays; whoever is still under way is asked for anew.
class Neighbours {
 public:
  /// To be called when a probe has ended.
  void one_more(const Stage& stage);

 private:
  std::size_t probes_ = 0;  ///< since they forgot last
};

}  // namespace plumbline::engine::matrix
