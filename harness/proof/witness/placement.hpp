#pragma once

#include <cstddef>
#include <vector>

#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::proof {

/// Where among a journey's sightings the kernels' reports belong: how many sightings come before each.
struct Placement {
  std::vector<std::size_t> passages;  ///< as `KernelPath::passages`
  std::vector<std::size_t> drops;     ///< as `KernelPath::drops`
};

/// Passages carry no time. A hook on the way in comes after the sighting of that packet where it came in, one
/// on the way out before the sighting where it left; where no tap saw it there, after what is known to come
/// before. Within one node and leg their order stays. Drops are placed by time, and those of netfilter after
/// the rule that did it.
Placement place(const Journey& journey, const KernelPath& path);

}  // namespace plumbline::proof
