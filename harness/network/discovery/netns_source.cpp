#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/network/discovery/source.hpp"

// Namespaces that have a name, as `ip netns add` gives it.
namespace plumbline::network::detail {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const std::string& folder, std::error_code& problem) {
  std::vector<std::string> names;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (names.size() < kMostNamespaces) names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

void look_at_names(const std::string& folder, Findings& findings) {
  std::error_code problem;
  const std::vector<std::string> names = names_in(folder, problem);
  if (problem && problem != std::errc::no_such_file_or_directory) {
    findings.notes.push_back({fmt::format("{}: {}", folder, problem.message()), "run it as root"});
  }
  std::size_t found = 0;
  for (const std::string& name : names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    try {
      Sighting seen{Source::named, locate_named(path), {}, false};
      seen.node.name = name;
      seen.node.locator = {Locator::Kind::netns, name};
      seen.node.origins = {printable(path)};
      findings.sightings.push_back(std::move(seen));
      ++found;
    } catch (const Error& error) {
      // A file that is no namespace is what is left of one, and means nothing.
      if (error.kind() != ErrorKind::usage) findings.notes.push_back({error.what(), error.remedy()});
    }
  }
  findings.looked_at.push_back(fmt::format("{}: {}", folder, counted(found, "namespace")));
}

}  // namespace plumbline::network::detail
