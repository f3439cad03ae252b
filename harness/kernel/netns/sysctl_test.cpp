#include "harness/kernel/netns/sysctl.hpp"

#include <gtest/gtest.h>

#include "harness/base/error.hpp"

namespace plumbline::kernel {
namespace {

TEST(SysctlName, RefusesWhatLeavesTheNamespace) {
  const Netns own = Netns::current();
  using namespace std::string_view_literals;
  for (const auto name :
       {""sv, "net"sv, "net."sv, "net/"sv, ".net.ipv4.ip_forward"sv, "net..ipv4"sv, "net.ipv4."sv,
        "net/../kernel/hostname"sv, "net/./ipv4/ip_forward"sv, "/etc/passwd"sv, "../../etc/passwd"sv,
        "net/ipv4//ip_forward"sv, "kernel.hostname"sv, "vm.overcommit_memory"sv, "network.ipv4"sv,
        "net.ipv4.ip_forward\0x"sv}) {
    try {
      read_sysctl(own, name);
      ADD_FAILURE() << name << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << name;
    }
    // Refused by its name, before anything is opened: this is the machine's own namespace.
    EXPECT_THROW(write_sysctl(own, name, "x"), Error) << name;
  }
}

}  // namespace
}  // namespace plumbline::kernel
