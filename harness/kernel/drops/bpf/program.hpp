#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "harness/base/fd.hpp"

struct drops_bpf;

/// Private to this folder: the program in the kernel, and its tables, which a process and all that it forks
/// share.
namespace plumbline::kernel::drops {

class Program {
 public:
  /// That of this process or of one that it was forked from; loaded where none was. Throws the Error of the
  /// first attempt, of kind environment, each time.
  static Program& get(std::size_t rings = 1);

  /// Throws Error.
  explicit Program(std::size_t rings);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  /// The table of namespaces: inode number to drop_listener.
  int listeners() const noexcept;
  /// The table of rings by number.
  int ring_table() const noexcept { return ring_table_.get(); }
  /// The first of them, which all processes hold.
  const std::vector<Fd>& rings() const noexcept { return rings_; }
  /// A file whose byte N is locked by who uses ring N: the kernel unlocks it when that process ends, however
  /// it ends.
  int claims() const noexcept { return claims_.get(); }

  /// Throws Error.
  static Fd make_ring();

 private:
  void fill_ring_table() const;
  void load();

  struct Unload {
    void operator()(drops_bpf* program) const noexcept;
  };
  std::vector<Fd> rings_;
  Fd ring_table_;
  Fd claims_;
  std::unique_ptr<drops_bpf, Unload> loaded_;
};

}  // namespace plumbline::kernel::drops
