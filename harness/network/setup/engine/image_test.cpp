#include "harness/network/setup/engine/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "harness/base/error.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string output;
  std::array<char, 4096> chunk{};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe.get())) {
    output.append(chunk.data(), size);
  }
  return output;
}

TEST(EngineImage, IsATarToTar) {
  std::string folder = "/tmp/plumbline-image-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string program(1000, 'x');  // no multiple of a block
  std::ofstream(folder + "/busybox") << program;
  std::ofstream(folder + "/image.tar") << image_tar(folder + "/busybox");
  const std::string list = output_of("tar -tvf " + folder + "/image.tar 2>&1");
  EXPECT_THAT(list, HasSubstr("-rwxr-xr-x 0/0            1000 1970-01-01"));
  EXPECT_THAT(list, HasSubstr("bin/sh -> busybox"));
  EXPECT_THAT(list, ::testing::Not(HasSubstr("tar:"))) << "it complains";
  EXPECT_EQ(output_of("tar -xOf " + folder + "/image.tar bin/busybox 2>&1"), program);
  fs::remove_all(folder);
}

TEST(EngineImage, TellsStaticProgramsFromOthers) {
  EXPECT_EQ(is_static("/bin/sh"), false);
  EXPECT_EQ(is_static("/etc/passwd"), std::nullopt);
  EXPECT_EQ(is_static("/no/such/file"), std::nullopt);
  if (fs::exists("/bin/busybox")) {
    const bool linked = output_of("ldd /bin/busybox 2>&1").find("=>") != std::string::npos;
    EXPECT_EQ(is_static("/bin/busybox"), !linked);
  }
  EXPECT_THROW(image_tar("/no/such/file"), Error);
}

}  // namespace
}  // namespace plumbline::network
