#pragma once

#include <span>
#include <string>

namespace plumbline::kernel {

/// Inside a sandbox: whatever is written below these folders from now on stays in here, and ends with it, as
/// programs that keep their state there (a runtime's daemon, a firewall's front end) need it. Each is covered
/// by an overlay whose upper layer is a tmpfs; one that is not there is passed over, and so is one that is
/// covered already. Throws Error: of kind environment, with the remedy, where the kernel refuses.
void make_private(std::span<const std::string> folders);

}  // namespace plumbline::kernel
