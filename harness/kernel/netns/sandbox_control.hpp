#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "harness/base/error.hpp"

/// What a sandbox's first process tells the one outside, over a stream socket: how far it got, and why not
/// further. Both ends are this program.
namespace plumbline::kernel {

enum class Stage : char {
  tied = 't',    ///< it will die with its parent
  set_up = 's',  ///< the program begins
  failed = 'f',  ///< an error follows
  ended = '\0',  ///< the other end is closed: the program was executed, or has ended
};

/// clone(2) refused with `error_number`: what this machine forbids, and the remedy.
Error namespaces_refused(int error_number);

/// Inside. A parent that is gone kills this process anyway, so nothing is done about it here.
void tell_stage(int control, Stage stage) noexcept;
void tell_failure(int control, const Error& error) noexcept;

/// Outside: waits for the next stage.
Stage next_stage(int control);
/// The error that follows Stage::failed.
Error read_failure(int control);

}  // namespace plumbline::kernel
