// The same where libbpf, bpftool or clang was missing when this was built.
#include "harness/kernel/drops/drops.hpp"

namespace plumbline::kernel::drops {
namespace {

Error not_built() {
  return Error("this plumbline was built without libbpf", ErrorKind::environment)
      .with_remedy("build it where libbpf-dev, bpftool and clang-14 are installed (PLUMBLINE_BPF)");
}

}  // namespace

class Watch::Impl {};

void prepare(std::size_t /*watches*/) noexcept {}

std::optional<Error> refused() {
  return not_built();
}

Watch::Watch(const std::vector<const Netns*>& /*namespaces*/) {
  throw not_built();
}

Watch::Watch(Watch&&) noexcept = default;

Watch::~Watch() = default;

void Watch::watch(const std::vector<const Netns*>& /*namespaces*/) {}

int Watch::fd() const noexcept {
  return -1;
}

std::vector<DropEvent> Watch::take() {
  return {};
}

std::uint64_t Watch::lost() const {
  return 0;
}

}  // namespace plumbline::kernel::drops
