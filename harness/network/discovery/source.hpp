#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/network/discovery/host_view.hpp"
#include "harness/network/discovery/locate.hpp"

/// Private to this folder: where namespaces of a live host are found, one file per source. Each adds what it
/// finds, and notes what it cannot read; none throws for what others hold.
namespace plumbline::network::detail {

/// Who names it best, best first.
enum class Source : std::uint8_t { engine, named, cni, process };

/// A namespace as one source sees it.
struct Sighting {
  Source source = Source::process;
  Located where;
  FoundNode node;      ///< of it: name, locator, one origin, and what the source knows beside
  bool guest = false;  ///< it has joined the network of another, whose name is the better one
};

struct Findings {
  std::vector<Sighting> sightings;
  std::vector<NamedNetwork> networks;
  std::vector<std::string> looked_at;
  std::vector<HostNote> notes;
};

/// No source adds more; a note says what was left out.
inline constexpr std::size_t kMostNamespaces = 4096;

boost::asio::awaitable<void> look_at_engine(Locator::Kind engine, std::string socket, Findings& findings);
void look_at_names(const std::string& folder, Findings& findings);
/// `folders`: of libcni's results. `networks`: of host-local's reservations.
void look_at_cni(const std::vector<std::string>& folders, const std::string& networks, Findings& findings);
void look_at_processes(Findings& findings);

/// "1 container", "2 containers".
std::string counted(std::size_t count, const std::string& thing);

/// The text of a small file of ours; empty: it is not there, is no regular file, or is larger than 1 MiB.
std::string small_file(const std::string& path);

}  // namespace plumbline::network::detail
