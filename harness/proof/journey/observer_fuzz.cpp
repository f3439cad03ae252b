// Whatever frames come, the observer reads nothing beyond them and its journeys end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/proof/journey/notes.hpp"
#include "harness/proof/journey/observer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumbline;
  proof::Observer observer;
  const proof::WatchId ping = observer.watch(proof::NonceKey{0x504C010203040506ULL, 77, 0});
  observer.watch(proof::TcpKey{40001, 80, *IpAddress::parse("10.0.0.1")});
  observer.watch(proof::DnsKey{4711, "a.test", 40002, 53});
  const std::string nodes[] = {"a", "b"};
  std::span<const std::uint8_t> rest(data, size);
  for (std::uint64_t time = 0; rest.size() > 2; ++time) {
    const std::size_t length = std::min<std::size_t>(rest[0], rest.size() - 2);
    const std::size_t node = rest[1] % 2U;
    observer.see(node, nodes[node], "eth0", time / 2, rest.subspan(2, length), length,
                 traffic::LinkType::linux_sll2);
    rest = rest.subspan(2 + length);
  }
  proof::Cables cables{{{"a", "eth0"}, {"b", "eth0"}}, {{"b", "eth0"}, {"a", "eth0"}}};
  proof::Terrain terrain;
  terrain.distance = {0, 1};
  terrain.cables = &cables;
  terrain.source = "a";
  terrain.target = IpAddress::parse("10.0.0.1");
  for (proof::WatchId watch = ping; watch < ping + 3; ++watch) {
    const proof::Journey journey = observer.journey(watch, terrain);
    for (std::size_t i = 0; i < journey.sightings.size(); ++i) {
      (void)proof::translated_at(journey, i);
      (void)proof::offload_note(journey.sightings[i], 1500);
    }
  }
  return 0;
}
