#pragma once

#include <sys/types.h>

#include "harness/kernel/process/process.hpp"

namespace plumbline::kernel {

/// Private to this folder: what becomes a program's standard streams.
struct StandardStreams {
  int input = -1;  ///< -1: /dev/null
  int output = -1;
  int errors = -1;
};

/// Private to this folder: starts `command`; returns when it has been executed. Throws Error; then nothing of
/// it remains.
pid_t launch(const Command& command, const StandardStreams& streams);

}  // namespace plumbline::kernel
