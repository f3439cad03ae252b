#pragma once

#include <span>
#include <string>

namespace plumbline::kernel {

/// Inside a sandbox: whatever is written below these folders from now on stays in here, and ends with it, as
/// programs that keep their state there (a runtime's daemon, a firewall's front end) need it. Each is covered
/// by an overlay whose upper layer is a tmpfs; one that is not there is passed over, and so is one that is
/// covered already. Throws Error: of kind environment, with the remedy, where the kernel refuses.
void make_private(std::span<const std::string> folders);

/// Below a folder that was made private: afterwards `folder` is there and empty, whatever the machine keeps
/// in it. Throws Error.
void make_empty(const std::string& folder);

/// Where what is written below such a folder is kept, by the folder's own paths; what is taken away leaves a
/// device file there, of number 0.
std::string upper_of(const std::string& folder);

}  // namespace plumbline::kernel
