#pragma once

#include <sys/types.h>

#include "harness/kernel/process/process.hpp"

namespace plumbline::kernel {

/// Private to this folder: starts `command` with `output` as its standard output and error; returns when it
/// has been executed. Throws Error; then nothing of it remains.
pid_t launch(const Command& command, int output);

}  // namespace plumbline::kernel
