#pragma once

#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/process/process.hpp"

namespace plumbline::kernel {

/// Private to this folder: the file that `command` names, from PATH (the child's) where the name holds no
/// slash; relative names are taken from the folder it starts in. Throws Error of kind usage.
std::string program_path(const Command& command);

/// Our own environment and what the command adds to it: "NAME=value" each.
std::vector<std::string> environment_of(const Command& command);

/// Why execve(2) refused `path` with `error_number`, and what to do about it.
Error start_refused(const std::string& path, int error_number);

}  // namespace plumbline::kernel
