#include "harness/engine/report/progress_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

/// As many names as there is room for, and how many more there are.
std::string running(const std::vector<std::string>& names, std::size_t room) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = (i == 0 ? "" : ", ") + printable(names[i]);
    const std::size_t left = names.size() - i - 1;
    const std::string more = left == 0 ? "" : fmt::format(" and {} more", left);
    if (columns(text) + columns(name) + columns(more) > room)
      return i == 0 ? "" : text + fmt::format(" and {} more", left + 1);
    text += name;
  }
  return text;
}

}  // namespace

void ProgressLine::draw(const Progress& progress) {
  constexpr std::chrono::milliseconds kBetween{40};  // a terminal shows no more, and drawing costs time
  const auto now = Clock::now();
  if (!options_.progress || now - drawn_ < kBetween) return;
  drawn_ = now;
  std::string line = fmt::format("{}/{}", progress.done, progress.total);
  if (progress.not_passed > 0) line += fmt::format("  {} not passed", progress.not_passed);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now - started_).count();
  line += fmt::format("  {:02}:{:02}", seconds / 60, seconds % 60);
  const std::size_t room = std::max<std::size_t>(options_.width, 2) - 1;
  const std::string names = running(progress.running, room - std::min(room, line.size() + 2));
  if (!names.empty()) line += "  " + names;
  out_ << "\r\x1b[K" << wrap(line, room).front() << std::flush;
  shown_ = true;
}

void ProgressLine::erase() {
  if (shown_) out_ << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace plumbline::engine
