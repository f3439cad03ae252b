#include "harness/kernel/drops/bpf/program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <drops.skel.h>  // made by bpftool from drops.bpf.c
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/kernel/drops/drop_record.h"

namespace plumbline::kernel::drops {
namespace {

constexpr const char* kTypes = "/sys/kernel/btf/vmlinux";

Error refused(int error_number, const std::string& attempted, const std::string& detail = {}) {
  const Error error = Error::from_errno(error_number, attempted, detail).with_kind(ErrorKind::environment);
  if (error_number == EPERM || error_number == EACCES) {
    return error.with_remedy(
        "run it as root of this machine (CAP_BPF and CAP_PERFMON): not in a user namespace, and a container "
        "needs "
        "--privileged");
  }
  if (!error.remedy().empty()) return error;
  return error.with_remedy("a kernel of 5.17 or later with CONFIG_BPF_SYSCALL and CONFIG_DEBUG_INFO_BTF");
}

/// The first that libbpf warns of, which is why it failed.
std::string& warning() {
  static std::string text;
  return text;
}

int keep_warning(libbpf_print_level level, const char* format, std::va_list arguments) {
  if (level != LIBBPF_WARN || !warning().empty()) return 0;
  std::array<char, 512> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  if (length > 0)
    warning().assign(line.data(), std::min<std::size_t>(static_cast<std::size_t>(length), line.size() - 1));
  std::replace(warning().begin(), warning().end(), '\n', ' ');
  return 0;
}

/// Standard error is not libbpf's: whatever fails is told as an error, from its error number.
int say_nothing(libbpf_print_level, const char*, std::va_list) {
  return 0;
}

}  // namespace

Program& Program::get(std::size_t rings) {
  static std::optional<Program> program;
  static std::optional<Error> failure;
  if (failure) throw Error(*failure);
  try {
    if (!program) program.emplace(rings);
  } catch (const Error& error) {
    failure = error;
  } catch (const std::system_error& error) {
    failure = refused(error.code().value(), "starting a thread");
  }
  if (failure) throw Error(*failure);
  return *program;
}

Program::Program(std::size_t rings) {
  // Refused here, it costs nothing: libbpf would first read all types of the kernel.
  rings_.push_back(make_ring());
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.inner_map_fd = static_cast<__u32>(rings_.front().get());
  ring_table_ = Fd(::bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "rings", sizeof(std::uint32_t),
                                    sizeof(std::uint32_t), kDropRings, &options));
  if (!ring_table_) throw refused(errno, "making a table of rings for dropped packets");
  if (::access(kTypes, R_OK) != 0)
    throw refused(errno, fmt::format("reading the kernel's types in {}", kTypes));
  claims_ = Fd(::memfd_create("plumbline-drops", MFD_CLOEXEC));
  if (!claims_) throw Error::from_errno(errno, "memfd_create");
  while (rings_.size() < std::min<std::size_t>(rings, kDropRings)) rings_.push_back(make_ring());

  // That waits for all CPUs, so the rest is done meanwhile.
  std::exception_ptr problem;
  std::thread filling([&] {
    try {
      fill_ring_table();
    } catch (...) {
      problem = std::current_exception();
    }
  });
  try {
    load();
  } catch (...) {
    filling.join();
    throw;
  }
  filling.join();
  if (problem) std::rethrow_exception(problem);
}

Program::~Program() = default;

int Program::listeners() const noexcept {
  return ::bpf_map__fd(loaded_->maps.listeners);
}

Fd Program::make_ring() {
  Fd ring(::bpf_map_create(BPF_MAP_TYPE_RINGBUF, "drops", 0, 0, kDropRingBytes, nullptr));
  if (!ring) throw refused(errno, "making a ring for dropped packets");
  return ring;
}

void Program::fill_ring_table() const {
  std::vector<std::uint32_t> numbers(rings_.size());
  std::iota(numbers.begin(), numbers.end(), 0U);
  std::vector<int> descriptors;
  for (const Fd& ring : rings_) descriptors.push_back(ring.get());
  auto count = static_cast<std::uint32_t>(rings_.size());
  if (::bpf_map_update_batch(ring_table_.get(), numbers.data(), descriptors.data(), &count, nullptr) != 0)
    throw refused(errno, "filling the table of rings for dropped packets");
}

void Program::load() {
  ::libbpf_set_print(keep_warning);
  warning().clear();
  int error = 0;
  loaded_.reset(drops_bpf::open());
  if (!loaded_) {
    error = errno;
  } else {
    error = -::bpf_map__reuse_fd(loaded_->maps.rings, ring_table_.get());
    if (error == 0) error = -drops_bpf::load(loaded_.get());
    if (error == 0) error = -drops_bpf::attach(loaded_.get());
  }
  ::libbpf_set_print(say_nothing);
  if (error != 0) throw refused(error, "loading the program that tells of dropped packets", warning());
}

void Program::Unload::operator()(drops_bpf* program) const noexcept {
  drops_bpf::destroy(program);
}

}  // namespace plumbline::kernel::drops
