#include <gtest/gtest.h>
#include <sys/mount.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/private_folders.hpp"

namespace plumbline::kernel {
namespace {

/// In the private /run, as the machine's own folders are no place to try this in.
class PrivateFolders : public ::testing::Test {
 protected:
  PrivateFolders() {
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/before") << "kept";
  }
  std::string folder = "/run/private-folders-test";
};

TEST_F(PrivateFolders, ShowWhatWasThereAndKeepWhatIsWrittenToThemselves) {
  // A second way to the same folder, which is not covered.
  const std::string beside = "/run/private-folders-beside";
  std::filesystem::create_directories(beside);
  ASSERT_EQ(::mount(folder.c_str(), beside.c_str(), nullptr, MS_BIND, nullptr), 0);
  // Where /run is shared, what is mounted on the one would show on the other.
  ASSERT_EQ(::mount(nullptr, beside.c_str(), nullptr, MS_PRIVATE, nullptr), 0);
  const std::array<std::string, 2> folders{folder, "/run/is-not-there"};
  make_private(folders);
  EXPECT_TRUE(std::filesystem::exists(folder + "/before"));
  std::ofstream(folder + "/after") << "private";
  std::filesystem::remove(folder + "/before");
  EXPECT_TRUE(std::filesystem::exists(folder + "/after"));
  EXPECT_FALSE(std::filesystem::exists(beside + "/after"));
  EXPECT_TRUE(std::filesystem::exists(beside + "/before"));
  make_private(folders);
  EXPECT_TRUE(std::filesystem::exists(folder + "/after")) << "covered once";
}

TEST_F(PrivateFolders, HaveEmptyOnesWhateverTheMachineKeepsThere) {
  EXPECT_THROW(make_empty(folder + "-apart/state"), Error);
  folder += "-empty";
  std::filesystem::create_directories(folder + "/old");
  std::ofstream(folder + "/old/state") << "the machine's";
  make_private(std::array{folder});
  make_empty(folder + "/old");
  make_empty(folder + "/new/state");
  EXPECT_TRUE(std::filesystem::is_empty(folder + "/old"));
  EXPECT_TRUE(std::filesystem::is_empty(folder + "/new/state"));
}

}  // namespace
}  // namespace plumbline::kernel
