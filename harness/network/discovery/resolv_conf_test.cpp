#include "harness/network/discovery/resolv_conf.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

TEST(ResolvConf, NamesItsServers) {
  EXPECT_THAT(parse_resolv_conf("# by hand\nsearch example.test\nnameserver 192.0.2.1\n"
                                "nameserver\t2001:db8::53 # second\nnameserver 192.0.2.3"),
              ElementsAre(ip("192.0.2.1"), ip("2001:db8::53"), ip("192.0.2.3")));
}

TEST(ResolvConf, TakesWhatTheCLibraryTakes) {
  EXPECT_THAT(parse_resolv_conf(
                  "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"),
              ElementsAre(ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")));
  EXPECT_THAT(parse_resolv_conf(
                  " nameserver 192.0.2.1\nnameservers 192.0.2.2\nNAMESERVER 192.0.2.3\n"
                  "nameserver\nnameserver nonsense\nnameserver fe80::1%eth0\r\nnameserver 192.0.2.9\r\n"),
              ElementsAre(ip("192.0.2.9")));
  EXPECT_THAT(parse_resolv_conf(""), IsEmpty());
}

/// A container's root folder.
class ForeignRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "resolv-conf-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directories(folder_ / "root/etc");
    std::ofstream(folder_ / "outside") << "nameserver 203.0.113.1\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  ResolvConf read() const {
    const Fd root(::open((folder_ / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return read_resolv_conf(root, "etc/resolv.conf");
  }
  fs::path file() const { return folder_ / "root/etc/resolv.conf"; }

  fs::path folder_;
};

TEST_F(ForeignRoot, IsReadWithinIt) {
  fs::create_directories(folder_ / "root/run");
  std::ofstream(folder_ / "root/run/stub.conf") << "nameserver 192.0.2.7\n";
  fs::create_symlink("/run/stub.conf", file());  // absolute: of the container's own root
  EXPECT_THAT(read().servers, ElementsAre(ip("192.0.2.7")));
  EXPECT_EQ(read().unread, "");
}

TEST_F(ForeignRoot, IsNeverLeft) {
  fs::create_symlink("../../outside", file());
  EXPECT_THAT(read().servers, IsEmpty());
  EXPECT_EQ(read().unread, "");  // beyond its root there is nothing: it is not there
  fs::remove(file());
  fs::create_symlink(folder_ / "outside", file());
  EXPECT_THAT(read().servers, IsEmpty());
}

TEST_F(ForeignRoot, MagicLinksAreNotFollowed) {
  fs::create_symlink("/proc/self/fd/0", file());
  fs::create_directories(folder_ / "root/proc/self/fd");
  const ResolvConf read_back = read();
  EXPECT_THAT(read_back.servers, IsEmpty());
}

TEST_F(ForeignRoot, AnythingButAFileIsNotOpened) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);  // to open it for reading would wait for a writer
  EXPECT_EQ(read().unread, "it is no regular file");
  fs::remove(file());
  fs::create_directory(file());
  EXPECT_EQ(read().unread, "it is no regular file");
}

TEST_F(ForeignRoot, LoopsAndHugeFilesEnd) {
  fs::create_symlink("resolv.conf", file());
  EXPECT_THAT(read().unread, HasSubstr("symbolic links"));
  fs::remove(file());
  std::ofstream(file()) << "nameserver 192.0.2.1\n";
  fs::resize_file(file(), std::uintmax_t{1} << 40);
  EXPECT_EQ(read().unread, "it is larger than 64 KiB");
  EXPECT_THAT(read().servers, IsEmpty());
}

TEST_F(ForeignRoot, WithoutOneNamesNobody) {
  EXPECT_THAT(read().servers, IsEmpty());
  EXPECT_EQ(read().unread, "");
}

}  // namespace
}  // namespace plumbline::network
