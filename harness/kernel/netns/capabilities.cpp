#include "harness/kernel/netns/capabilities.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::kernel {

std::vector<std::string> missing_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0)
    throw Error::from_errno(errno, "asking for the capabilities of this process");
  std::vector<std::string> missing;
  for (const auto& [capability, name] :
       {std::pair(CAP_SYS_ADMIN, "CAP_SYS_ADMIN"), std::pair(CAP_NET_ADMIN, "CAP_NET_ADMIN"),
        std::pair(CAP_NET_RAW, "CAP_NET_RAW")}) {
    const __user_cap_data_struct& word = data.at(static_cast<std::size_t>(CAP_TO_INDEX(capability)));
    if ((word.effective & CAP_TO_MASK(capability)) == 0) missing.emplace_back(name);
  }
  return missing;
}

}  // namespace plumbline::kernel
