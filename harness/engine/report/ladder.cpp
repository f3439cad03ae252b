#include "harness/engine/report/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

#include "harness/engine/check/words.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::console {
namespace {

/// Packets of a journey that are shown without -v: how it began and how it ended. Between them lie, for a TCP
/// connection that failed late, dozens that say the same.
constexpr std::size_t kFirstRungs = 20;
constexpr std::size_t kLastRungs = 8;
/// Rules in a row that let it pass, shown without -v.
constexpr std::size_t kPassed = 6;
constexpr std::size_t kDeepest = 8;
constexpr std::size_t kRungs = kDetailIndent;     // column at which they begin
constexpr std::size_t kMark = kDetailIndent - 2;  // of who stopped it
constexpr std::size_t kHook = 7;                  // "forward"

/// Stands for a space at which no line may end.
constexpr char kGlue = '\x01';

bool is_drop(const KernelEvent& event) {
  return !event.drop_reason.empty();
}

bool has_rule(const KernelEvent& event) {
  return !event.table.empty();
}

bool same_hook(const KernelEvent& a, const KernelEvent& b) {
  return a.node == b.node && a.hook == b.hook && a.leg == b.leg && a.iif == b.iif && a.oif == b.oif;
}

/// What goes on in the chain, and nothing else.
bool lets_pass(const KernelEvent& event) {
  return has_rule(event) && event.verdict == "continue" && !event.log_prefix;
}

std::string_view arrow(const ConsoleOptions& options, std::string_view direction) {
  if (direction == "out") return options.unicode ? "→" : "->";
  if (direction == "in") return options.unicode ? "←" : "<-";
  return options.unicode ? "·" : "--";
}

/// With a star behind each end that is translated: "192.168.16.10:40001* > 10.1.2.3:80 TCP …".
std::string starred(const JourneyStep& step) {
  std::string packet = printable(step.packet);
  const std::size_t between = packet.find(" > ");
  if (between == std::string::npos || step.translated.empty()) return packet;
  const std::size_t end = std::min(packet.find(' ', between + 3), packet.size());
  if (step.translated.find("destination") != std::string::npos) packet.insert(end, "*");
  if (step.translated.find("source") != std::string::npos) packet.insert(between, "*");
  return packet;
}

std::string glued(std::string text) {
  for (const std::string_view word : {" id ", " seq ", " ack ", " (handle ", " counted ", " -> "}) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      text[at + word.size() - 1] = kGlue;
    }
  }
  return text;
}

std::vector<std::string> wrapped(const std::string& text, std::size_t room) {
  std::vector<std::string> lines = wrap(glued(text), room);
  for (std::string& line : lines) std::ranges::replace(line, kGlue, ' ');
  return lines;
}

/// "64" of "… ICMP echo request, ttl 64", which is taken out; empty where there is none.
std::string take_ttl(std::string& packet) {
  constexpr std::string_view word = ", ttl ";
  const std::size_t at = packet.rfind(word);
  if (at == std::string::npos) return {};
  const std::size_t number = at + word.size();
  const std::size_t end = std::min(packet.find_first_not_of("0123456789", number), packet.size());
  std::string ttl = packet.substr(number, end - number);
  if (ttl.empty() || ttl.size() > 3) return {};
  packet.erase(at, end - at);
  return ttl;
}

/// " (quotes …)", of an ICMP error.
std::string_view quote_in(std::string_view packet) {
  const std::size_t at = packet.find(" (quotes ");
  const std::size_t end = packet.rfind(')');
  return at == std::string_view::npos || end == std::string_view::npos ? std::string_view()
                                                                       : packet.substr(at, end + 1 - at);
}

struct Rung {
  std::string time, place, ttl, packet;
  std::string_view arrow;
};

class Ladder {
 public:
  Ladder(const ConsoleOptions& options, const CheckResult& check) : options_(options), check_(check) {
    for (const KernelEvent& event : check.kernel) {
      if (is_drop(event) || has_rule(event) || verbose()) events_.push_back(&event);
    }
    std::ranges::stable_sort(events_, {}, [](const KernelEvent* event) { return event->after; });
    for (const JourneyStep& step : check.journey) add(step);
  }

  std::string take() {
    if (rungs_.empty() && events_.empty()) return {};
    write_heading();
    const std::vector<bool> shown = shown_rungs();
    write_events(0);
    for (std::size_t i = 0; i < rungs_.size(); ++i) {
      if (const std::size_t settled = shown[i] ? settled_from(i) : 0; settled != 0) {
        write_settled(i, settled);
        i += settled - 1;
        continue;
      }
      std::size_t left_out = 0;
      while (i + left_out < rungs_.size() && !shown[i + left_out]) ++left_out;
      if (left_out != 0) write_fold(left_out);
      i += left_out;
      if (i == rungs_.size()) break;
      write_rung(i);
      write_events(i + 1);
    }
    write_legend();
    return std::move(text_);
  }

 private:
  bool verbose() const { return options_.verbosity == Verbosity::verbose; }

  void line(std::string_view text) {
    text_.append(text);
    text_ += '\n';
  }

  void add(const JourneyStep& step) {
    Rung& rung = rungs_.emplace_back();
    rung.time = duration(options_, static_cast<double>(step.t_us) / 1000);
    rung.place = printable(step.node) + ":" + printable(step.interface);
    rung.packet = starred(step);
    rung.ttl = take_ttl(rung.packet);
    leave_out_known_quote(rung.packet);
    // Every frame on a veth is so: worth no line of its own where one looks for what is wrong.
    const bool usual = step.note == "checksum left to the device" && options_.verbosity != Verbosity::verbose;
    if (!step.note.empty() && !usual) rung.packet += fmt::format(" ({})", printable(step.note));
    rung.arrow = arrow(options_, step.direction);
    time_width_ = std::max(time_width_, columns(rung.time));
    place_width_ = std::max(place_width_, columns(rung.place));
    ttl_width_ = std::max(ttl_width_, rung.ttl.size());
    if (const std::size_t at = step.packet.find(" is-at "); at != std::string::npos) {
      const auto [known, fresh] = answers_.emplace(step.packet.substr(0, at), step.packet.substr(at));
      disputed_ = disputed_ || known->second != step.packet.substr(at);
    }
    translated_ = translated_ || !step.translated.empty();
    for_others_ = for_others_ || (step.direction != "in" && step.direction != "out");
  }

  /// What an error quotes is told again only where it is another: behind a translation.
  void leave_out_known_quote(std::string& packet) {
    const std::string quote(quote_in(packet));
    if (quote.empty() || verbose()) return;
    if (quote == quote_) {
      packet.erase(packet.find(quote), quote.size());
    } else {
      quote_ = quote;
    }
  }

  /// How many steps from here on are an address resolution that went well, of which the answer tells all:
  /// none where nobody answered, or two did.
  std::size_t settled_from(std::size_t begin) const {
    constexpr std::size_t few = 2;
    if (verbose() || disputed_) return 0;
    std::size_t end = begin;
    bool answered = false;
    while (end < rungs_.size() && check_.journey[end].leg == "neighbour" && (end == begin || !told_at(end))) {
      answered = answered || is_answer(check_.journey[end]);
      ++end;
    }
    if (end < rungs_.size() && end != begin && told_at(end)) --end;
    return answered && end - begin > few ? end - begin : 0;
  }

  /// Whether a kernel told something right after so many steps.
  bool told_at(std::size_t after) const {
    return std::ranges::any_of(events_, [&](const KernelEvent* event) { return event->after == after; });
  }

  static bool is_answer(const JourneyStep& step) {
    return step.packet.find(" is-at ") != std::string::npos ||
           step.packet.find("neighbour advertisement") != std::string::npos;
  }

  void write_settled(std::size_t begin, std::size_t count) {
    const auto answer = std::find_if(check_.journey.begin() + static_cast<std::ptrdiff_t>(begin),
                                     check_.journey.end(), is_answer);
    std::size_t before = kRungs + time_width_ + 2;  // where the rungs' places stand
    const std::size_t further = before + 2;
    for (const std::string& text :
         wrap(fmt::format("{}, {} frames", printable(answer->packet), count), room(further))) {
      line(std::string(before, ' ') + painted(options_, Colour::dim, text));
      before = further;
    }
  }

  /// The beginning and the end, and whatever is followed by something that a kernel told.
  std::vector<bool> shown_rungs() const {
    std::vector<bool> shown(rungs_.size(), true);
    if (verbose()) return shown;
    std::vector<std::size_t> lines;  // that it would take, by their first step
    for (std::size_t i = 0; i < rungs_.size(); i += std::max<std::size_t>(settled_from(i), 1))
      lines.push_back(i);
    if (lines.size() <= kFirstRungs + kLastRungs + 1) return shown;
    for (std::size_t i = lines[kFirstRungs]; i < lines[lines.size() - kLastRungs]; ++i) shown[i] = false;
    for (const KernelEvent* event : events_) {
      if (event->after != 0 && event->after <= shown.size()) shown[event->after - 1] = true;
    }
    // Where the probe was seen last.
    for (std::size_t i = rungs_.size(); i-- > 0;) {
      if (check_.journey[i].leg != "forward") continue;
      shown[i] = true;
      break;
    }
    return shown;
  }

  void write_heading() {
    const std::string title =
        ttl_width_ == 0 ? "journey" : padded("journey", arrow_column() + ttl_width_ - kDetailIndent) + "ttl";
    line(std::string(kDetailIndent, ' ') + painted(options_, Colour::dim, title));
  }

  std::size_t arrow_column() const { return kRungs + time_width_ + 2 + place_width_ + 1; }

  void write_fold(std::size_t left_out) {
    line(fmt::format("{:{}}{} packet{} more, shown with -v and in the trace", "", kRungs, left_out,
                     left_out == 1 ? "" : "s"));
  }

  /// Time right-aligned, place padded, arrow, ttl, packet; the packet wraps under itself.
  void write_rung(std::size_t index) {
    const Rung& rung = rungs_[index];
    const std::size_t before = arrow_column() + 3 + (ttl_width_ == 0 ? 0 : ttl_width_ + 1);
    const std::vector<std::string> packet = wrapped(rung.packet, room(before));
    line(fmt::format("{:{}}{}  {} {} {}{}{}", "", kRungs, right_aligned(rung.time, time_width_),
                     padded(rung.place, place_width_), painted(options_, Colour::cyan, padded(rung.arrow, 2)),
                     right_aligned(rung.ttl, ttl_width_), ttl_width_ == 0 ? "" : " ", packet.front()));
    for (std::size_t i = 1; i < packet.size(); ++i) line(std::string(before, ' ') + packet[i]);
  }

  std::size_t room(std::size_t before) const {
    return options_.width > before + kNarrowest ? options_.width - before : kNarrowest;
  }

  /// What was told between this many steps and the next.
  void write_events(std::size_t after) {
    const bool last = after == rungs_.size();
    while (next_ < events_.size() && (last || events_[next_]->after <= after)) {
      const std::size_t passed = passing();
      if (!verbose() && passed > kPassed) {
        write_event(fold_text(passed), *events_[next_], false);
        next_ += passed;
      } else {
        const KernelEvent& event = *events_[next_];
        write_event(printable(event_text(event)), event, is_marked(next_));
        follow(event);
        ++next_;
      }
    }
  }
  /// How many rules in a row, from the next on, only let it pass.
  std::size_t passing() const {
    std::size_t end = next_;
    while (end < events_.size() && lets_pass(*events_[end]) && same_hook(*events_[end], *events_[next_]) &&
           events_[end]->after == events_[next_]->after) {
      ++end;
    }
    return end - next_;
  }
  std::string fold_text(std::size_t passed) const {
    return fmt::format("{} {} rules that let it pass", options_.unicode ? "…" : "...", passed);
  }

  /// A kernel that says "netfilter did it" says nothing new after the rule.
  bool is_marked(std::size_t index) const {
    const KernelEvent& event = *events_[index];
    if (!is_drop(event)) return stops(event);
    if (index == 0) return true;
    const KernelEvent& before = *events_[index - 1];
    return !(stops(before) && before.node == event.node && before.leg == event.leg);
  }

  void write_event(const std::string& what, const KernelEvent& event, bool marked) {
    const bool again = last_ != nullptr && same_hook(*last_, event) && last_->after == event.after;
    if (!again) depth_ = 0;
    last_ = &event;
    const std::string hook = printable(place_text(event));
    const std::size_t column = kRungs + time_width_ + 2;
    const std::size_t text_column =
        column + (hook.empty() ? 0 : std::max(columns(hook), kHook) + 2) + 2 * std::min(depth_, kDeepest);
    const std::vector<std::string> lines = wrapped(what, room(text_column + 2));
    const std::string_view cross = !marked ? "" : options_.unicode ? "✗" : "x";
    std::string first = std::string(kMark, ' ') + std::string(cross);
    first = padded(first, column) + (again ? std::string() : hook);
    const Colour colour = marked ? Colour::red : Colour::none;
    line(painted(options_, colour, padded(first, text_column) + lines.front()));
    for (std::size_t i = 1; i < lines.size(); ++i) {
      line(painted(options_, colour, std::string(text_column + 2, ' ') + lines[i]));
    }
  }
  /// The hook; with the node where the step above does not say it.
  std::string place_text(const KernelEvent& event) const {
    const std::size_t after = event.after;
    const bool there =
        after != 0 && after <= check_.journey.size() && check_.journey[after - 1].node == event.node;
    const std::string hook = hook_text(event);
    if (there) return hook;
    return hook.empty() ? event.node : event.node + " " + hook;
  }

  /// Into the chain that it jumps to, and back.
  void follow(const KernelEvent& event) {
    if (event.verdict.starts_with("jump ")) ++depth_;
    if (event.verdict == "return" && depth_ != 0) --depth_;
  }

  void write_legend() {
    const std::string margin(kRungs, ' ');
    const auto say = [&](std::string_view text) {
      for (const std::string& one : wrap(text, room(margin.size()))) {
        line(margin + painted(options_, Colour::dim, one));
      }
    };
    if (translated_) say("* translated: not as its sender made it");
    if (for_others_)
      say(fmt::format("{} addressed to another's MAC, as a port of a bridge sees it", arrow(options_, "")));
  }

  const ConsoleOptions& options_;
  const CheckResult& check_;
  std::vector<Rung> rungs_;
  std::vector<const KernelEvent*> events_;
  std::size_t time_width_ = 0, place_width_ = 0, ttl_width_ = 0;
  std::string quote_;                           ///< told last
  std::map<std::string, std::string> answers_;  ///< to ARP: "ARP 192.168.99.1" and " is-at …"
  bool disputed_ = false;                       ///< two have claimed one address
  bool translated_ = false, for_others_ = false;
  std::string text_;
  std::size_t next_ = 0;               ///< event to be written
  const KernelEvent* last_ = nullptr;  ///< written last
  std::size_t depth_ = 0;              ///< of jumps
};

}  // namespace

std::string ladder(const ConsoleOptions& options, const CheckResult& check) {
  return Ladder(options, check).take();
}

}  // namespace plumbline::engine::console
