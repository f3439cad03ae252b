#include "harness/engine/spec/world.hpp"

#include "harness/engine/spec/spec.hpp"

namespace plumbline::spec {

network::Topology load_world(const std::string& path) {
  DraftWorld world = read_world(load_yaml(path));
  check_world(world);
  return finish_world(std::move(world));
}

}  // namespace plumbline::spec
