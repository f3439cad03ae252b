#include "harness/engine/comparison/path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace plumbline::engine {
namespace {

constexpr std::string_view kMadeUp = "*";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool is_in_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// How many characters from the beginning of `text` are `of` some kind.
template <class Of>
std::size_t run_of(std::string_view text, Of of) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, of) - text.begin());
}

/// Length of an id at the beginning of `text`; 0: there is none. "br-8305a55d5a12" and "CNI-5f1d…" have one.
std::size_t id_length(std::string_view text) {
  constexpr std::size_t kShortest = 12;  // Docker's short ids
  const std::size_t length = run_of(text, is_hex);
  return length >= kShortest ? length : 0;
}

/// Length of "127.0.0.11:" at the beginning of `text`, if a port follows that the kernel has chosen.
std::size_t chosen_port_at(std::string_view text) {
  constexpr unsigned kLowestChosen = 32768;  // net.ipv4.ip_local_port_range
  if (!text.starts_with("127.")) return 0;
  const std::size_t address = run_of(text, [](char c) { return is_digit(c) || c == '.'; });
  if (address == text.size() || text[address] != ':') return 0;
  unsigned port = 0;
  std::from_chars(text.data() + address + 1, text.data() + text.size(), port);
  return port >= kLowestChosen ? address + 1 : 0;
}

/// Puts each once.
class Landmarks {
 public:
  explicit Landmarks(std::vector<Landmark>& all) : all_(all) {}
  void add(Landmark one) {
    if (known_.insert(one.key).second) all_.push_back(std::move(one));
  }

 private:
  std::vector<Landmark>& all_;
  std::set<std::string> known_;
};

/// "reply ", "error ", and nothing for the probe's own packets.
std::string leg_text(const std::string& leg) {
  return leg.empty() || leg == "forward" ? "" : leg + " ";
}

/// Which way the frame went at the interface; empty: no hop of its path. Whether a frame that comes in by a
/// port of a bridge is meant for that port's address or for another's says nothing: the bridge's is that of
/// one of its ports, by chance. Elsewhere a frame for somebody else is what a bridge sends everywhere until
/// it has learned.
std::string_view direction_of(const JourneyStep& step, const Interfaces& interfaces) {
  if (step.direction != "other-host") return step.direction;
  return interfaces.is_port(step.node, step.interface) ? "in" : "";
}

/// The interface where step `i`'s frame is at the cable's other end, if it was seen there.
const JourneyStep* other_end(const std::vector<JourneyStep>& steps, std::size_t i) {
  const JourneyStep& step = steps[i];
  const auto is_beside = [&](const JourneyStep& that) {
    return that.leg == step.leg && that.node != step.node && that.direction != step.direction;
  };
  if (step.direction == "out")
    return i + 1 < steps.size() && is_beside(steps[i + 1]) ? &steps[i + 1] : nullptr;
  return i > 0 && is_beside(steps[i - 1]) ? &steps[i - 1] : nullptr;
}

/// An interface that was not there when the network was read, of a container that was started later, is
/// known by where it leads.
std::string interface_key(const std::vector<JourneyStep>& steps, std::size_t i,
                          const Interfaces& interfaces) {
  const JourneyStep& step = steps[i];
  if (interfaces.is_known(step.node, step.interface))
    return std::string(interfaces.name_of(step.node, step.interface));
  const JourneyStep* end = other_end(steps, i);
  return end == nullptr ? std::string(kMadeUp) : fmt::format("{} to {}", kMadeUp, end->node);
}

void add_hops(const CheckResult& check, const Interfaces& interfaces, std::vector<Landmark>& hops) {
  Landmarks landmarks(hops);
  for (std::size_t i = 0; i < check.journey.size(); ++i) {
    const JourneyStep& step = check.journey[i];
    const std::string_view direction = direction_of(step, interfaces);
    if (step.leg == "neighbour" || direction.empty()) continue;
    const auto text = [&](std::string_view interface) {
      return fmt::format("{}{}:{} {}{}", leg_text(step.leg), step.node, interface, direction,
                         step.translated.empty() ? "" : fmt::format(", {} translated", step.translated));
    };
    landmarks.add({text(interface_key(check.journey, i, interfaces)),
                   text(interfaces.told(step.node, step.interface)), step.node});
  }
}

void add_rules(const CheckResult& check, const Interfaces& interfaces, std::vector<Landmark>& rules) {
  Landmarks landmarks(rules);
  for (const KernelEvent& event : check.kernel) {
    if (event.table.empty()) continue;
    const std::string where =
        fmt::format("{}{} {} {} ", leg_text(event.leg), event.node, event.hook, event.table);
    const std::string rule =
        fmt::format("{}: {} → {}", event.chain, event.rule, event.verdict.empty() ? "?" : event.verdict);
    landmarks.add({where + lasting_words(interfaces.renamed(event.node, rule)), where + rule, event.node});
  }
}

}  // namespace

std::string lasting_words(std::string_view text) {
  std::string result;
  bool in_word = false;
  while (!text.empty()) {
    if (const std::size_t length = id_length(text); length > 0) {
      result += kMadeUp;
      text.remove_prefix(length);
    } else if (const std::size_t before = in_word ? 0 : chosen_port_at(text); before > 0) {
      result.append(text.substr(0, before)).append(kMadeUp);
      text.remove_prefix(before);
      text.remove_prefix(run_of(text, is_digit));
    } else {
      in_word = is_in_word(text.front()) || text.front() == '.';
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

Path path_of(const CheckResult& check, const Interfaces& interfaces) {
  Path path;
  add_hops(check, interfaces, path.hops);
  add_rules(check, interfaces, path.rules);
  path.told_of_rules =
      std::ranges::any_of(check.kernel, [](const KernelEvent& event) { return !event.hook.empty(); });
  return path;
}

}  // namespace plumbline::engine
