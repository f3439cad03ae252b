#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <exception>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/drops/bpf/program.hpp"
#include "harness/kernel/drops/drop_record.h"
#include "harness/kernel/drops/drops.hpp"
#include "harness/kernel/drops/names.hpp"

namespace plumbline::kernel::drops {
namespace {

constexpr std::size_t kMostAtOnce = 16 * 1024;

std::uint64_t nanoseconds(clockid_t clock) {
  constexpr std::uint64_t kPerSecond = 1'000'000'000;
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

/// What the kernel's monotonic clock lacks to that of the captures.
std::uint64_t since_the_epoch() {
  const std::uint64_t before = nanoseconds(CLOCK_MONOTONIC);
  const std::uint64_t epoch = nanoseconds(CLOCK_REALTIME);
  const std::uint64_t after = nanoseconds(CLOCK_MONOTONIC);
  return epoch - (before + (after - before) / 2);
}

/// A text that the kernel ends with a zero, if it has room for one.
template <std::size_t N>
std::string_view text(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}

DropEvent to_event(const drop_record& record, std::uint64_t epoch) {
  DropEvent event;
  event.netns = record.netns;
  event.ifindex = record.ifindex;
  event.reason = reason_text(record.reason, text(record.reason_name));
  event.function = function_text(text(record.function));
  event.time_ns = record.time_ns + epoch;
  event.protocol = record.protocol;
  event.sent_here = record.sent_here != 0;
  const std::size_t length = std::min<std::size_t>(record.length, sizeof record.packet);
  event.packet.assign(record.packet, record.packet + length);
  return event;
}

/// A ring that no other process reads, while it lives.
class Claim {
 public:
  explicit Claim(const Program& program)
      // Locks belong to an open file, and that of `program` is shared with other processes.
      : file_(::open(fmt::format("/proc/self/fd/{}", program.claims()).c_str(), O_RDWR | O_CLOEXEC)) {
    if (!file_) throw Error::from_errno(errno, "opening the list of rings for dropped packets");
    while (!lock(number_)) {
      if (++number_ == kDropRings) throw Error("no ring for dropped packets is left: too many watch at once");
    }
    if (number_ < program.rings().size()) return;
    own_ = Program::make_ring();
    const int ring = own_.get();
    if (::bpf_map_update_elem(program.ring_table(), &number_, &ring, BPF_ANY) != 0)
      throw Error::from_errno(errno, "adding a ring for dropped packets");
  }

  std::uint32_t number() const noexcept { return number_; }
  int ring(const Program& program) const noexcept {
    return own_ ? own_.get() : program.rings()[number_].get();
  }

 private:
  bool lock(std::uint32_t number) const {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = number;
    range.l_len = 1;
    if (::fcntl(file_.get(), F_OFD_SETLK, &range) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    throw Error::from_errno(errno, "taking a ring for dropped packets");
  }

  Fd file_;
  std::uint32_t number_ = 0;
  Fd own_;  ///< where the program had not prepared that many
};

}  // namespace

class Watch::Impl {
 public:
  explicit Impl(const std::vector<const Netns*>& namespaces) : program_(Program::get()), claim_(program_) {
    forget_the_dead();
    reader_.reset(::ring_buffer__new(claim_.ring(program_), &Impl::keep, this, nullptr));
    if (!reader_) throw Error::from_errno(errno, "reading a ring for dropped packets");
    take();  // what a process that was killed has left in it
    watch(namespaces);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const std::uint32_t netns : ours_) remove(netns);
  }

  void watch(const std::vector<const Netns*>& namespaces) {
    std::unordered_set<std::uint32_t> wanted;
    for (const Netns* netns : namespaces) wanted.insert(static_cast<std::uint32_t>(netns->inode()));
    std::erase_if(ours_, [&](std::uint32_t netns) {
      if (wanted.contains(netns)) return false;
      lost_before_ += remove(netns);
      return true;
    });
    for (const std::uint32_t netns : wanted) {
      if (ours_.contains(netns)) continue;
      const drop_listener listener{claim_.number(), 0, 0};
      if (::bpf_map_update_elem(program_.listeners(), &netns, &listener, BPF_ANY) != 0)
        throw Error::from_errno(errno, "watching a namespace for dropped packets");
      ours_.insert(netns);
    }
  }

  int fd() const noexcept { return ::ring_buffer__epoll_fd(reader_.get()); }

  std::vector<DropEvent> take() {
    records_.clear();
    const int result = ::ring_buffer__consume(reader_.get());
    if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
    if (result < 0 && result != -ENOBUFS) throw Error::from_errno(-result, "reading dropped packets");
    // Each CPU's clock is the same, but a record's place is taken before its time.
    std::ranges::stable_sort(records_, {}, &drop_record::time_ns);
    std::vector<DropEvent> events;
    const std::uint64_t epoch = since_the_epoch();
    for (const drop_record& record : records_) {
      if (ours_.contains(record.netns)) events.push_back(to_event(record, epoch));
    }
    return events;
  }

  std::uint64_t lost() const {
    std::uint64_t lost = lost_before_;
    for (const std::uint32_t netns : ours_) {
      if (const auto listener = find(netns)) lost += listener->lost;
    }
    return lost;
  }

 private:
  struct Free {
    void operator()(ring_buffer* reader) const noexcept { ::ring_buffer__free(reader); }
  };

  /// Called by C, through which nothing may be thrown.
  static int keep(void* self, void* data, std::size_t size) {
    Impl& impl = *static_cast<Impl*>(self);
    try {
      if (size < sizeof(drop_record)) return 0;
      drop_record& record = impl.records_.emplace_back();
      std::memcpy(&record, data, sizeof record);
    } catch (...) {
      impl.problem_ = std::current_exception();
      return -ENOMEM;
    }
    return impl.records_.size() < kMostAtOnce ? 0 : -ENOBUFS;
  }

  /// Where this process is (still) the one that is told.
  std::optional<drop_listener> find(std::uint32_t netns) const {
    drop_listener listener{};
    if (::bpf_map_lookup_elem(program_.listeners(), &netns, &listener) != 0) return std::nullopt;
    return listener.ring == claim_.number() ? std::optional(listener) : std::nullopt;
  }

  /// How many were lost in it until now.
  std::uint64_t remove(std::uint32_t netns) const noexcept {
    const auto listener = find(netns);
    if (!listener) return 0;
    ::bpf_map_delete_elem(program_.listeners(), &netns);
    return listener->lost;
  }

  /// A process that was killed could not take its namespaces out of the table.
  void forget_the_dead() const {
    std::vector<std::uint32_t> dead;
    std::uint32_t key = 0;
    const std::uint32_t* last = nullptr;
    for (int i = 0; i < kDropNamespaces && ::bpf_map_get_next_key(program_.listeners(), last, &key) == 0;
         ++i) {
      last = &key;
      if (find(key)) dead.push_back(key);
    }
    for (const std::uint32_t netns : dead) remove(netns);
  }

  Program& program_;
  Claim claim_;
  std::unique_ptr<ring_buffer, Free> reader_;
  std::unordered_set<std::uint32_t> ours_;
  std::vector<drop_record> records_;
  std::exception_ptr problem_;
  std::uint64_t lost_before_ = 0;  ///< in namespaces that are not watched any more
};

void prepare(std::size_t watches) noexcept {
  try {
    Program::get(watches);
  } catch (const std::exception&) {
    // It is kept, and told to who asks.
  }
}

std::optional<Error> refused() {
  try {
    Program::get();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

Watch::Watch(const std::vector<const Netns*>& namespaces) : impl_(std::make_unique<Impl>(namespaces)) {}

Watch::Watch(Watch&&) noexcept = default;

Watch::~Watch() = default;

void Watch::watch(const std::vector<const Netns*>& namespaces) {
  impl_->watch(namespaces);
}

int Watch::fd() const noexcept {
  return impl_->fd();
}

std::vector<DropEvent> Watch::take() {
  return impl_->take();
}

std::uint64_t Watch::lost() const {
  return impl_->lost();
}

}  // namespace plumbline::kernel::drops
