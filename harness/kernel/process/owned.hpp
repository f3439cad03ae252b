#pragma once

#include <sys/types.h>

namespace plumbline::kernel {

/// Private to this folder: programs under way, which their own `run` reaps.
void own(pid_t pid);
void disown(pid_t pid);
bool is_owned(pid_t pid);

/// Kills all that descends from the program `pid`, then itself. It is stopped meanwhile: as the subreaper of
/// its descendants it keeps them together. Throws Error for what does not end.
void end_tree(pid_t pid);

/// Reaps what has ended among our children in other sessions than ours, but for programs under way.
void reap_orphans();

}  // namespace plumbline::kernel
