#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "harness/testing/network.hpp"

namespace plumbline::testing {
namespace {

template <class Derived>
Derived with_argument(Derived question, std::string key, std::vector<std::string> values) {
  const auto known = std::ranges::find(question.arguments, key, [](const auto& each) { return each.first; });
  if (known == question.arguments.end()) {
    question.arguments.emplace_back(std::move(key), std::move(values));
  } else {
    known->second = std::move(values);
  }
  return question;
}

std::string listed(const Question& question, std::string_view key) {
  for (const auto& [name, values] : question.arguments) {
    if (name == key) return fmt::format("{}", fmt::join(values, ", "));
  }
  return {};
}

}  // namespace

void PrintTo(const Probe& probe, std::ostream* out) {
  *out << fmt::format("{} from {} to {}", listed(probe, "with"), listed(probe, "from"), listed(probe, "to"));
}

void PrintTo(const Query& query, std::ostream* out) {
  *out << fmt::format("DNS query for {} from {}", listed(query, "name"), listed(query, "from"));
  if (const std::string server = listed(query, "server"); !server.empty()) *out << " to " << server;
}

Query Query::at(const std::string& server) const {
  return with_argument(*this, "server", {server});
}

Query Query::over_udp() const {
  return with_argument(*this, "with", {"udp"});
}

Query Query::over_tcp() const {
  return with_argument(*this, "with", {"tcp"});
}

Probe Pair::with(Names services) const {
  return with_argument(Probe{question_}, "with", std::move(services.list));
}

Pair Source::to(Names targets) const {
  return Pair(with_argument(question_, "to", std::move(targets.list)));
}

Query Source::query(const std::string& name) const {
  return with_argument(Query{question_}, "name", {name});
}

}  // namespace plumbline::testing
