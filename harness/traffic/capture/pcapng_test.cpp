#include "harness/traffic/capture/pcapng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "harness/base/error.hpp"

namespace plumbline::traffic {
namespace {

using testing::HasSubstr;

/// What a tool printed; the test skips where the tool is not installed, and fails there in CI.
std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");  // NOLINT(cert-env33-c): fixed commands of the test
  if (pipe == nullptr) return text;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), got);
  ::pclose(pipe);
  return text;
}

bool missing(const std::string& tool) { return output_of("command -v " + tool).empty(); }

class PcapngTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "plumbline-pcapng-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/trace.pcapng";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void write_two_interfaces() const {
    // An SLL2 header, then IPv4 and ICMP: an echo request from 192.168.99.11 to 203.0.113.80.
    const std::vector<std::uint8_t> frame{0x08, 0,    0,    0,    0, 0, 0,    2,    0,  1,    4,    6,    0x0e, 0x98, 0x71, 0x83,
                                          0x72, 0x81, 0,    0,    0x45, 0, 0, 0x1c, 0x1a, 0x2b, 0x40, 0, 0x40, 1, 0xd9, 0x39,
                                          192,  168,  99,   11,   203, 0, 113,  80,   8,  0,    0xf7, 0xfd, 0,    1,    0,    1};
    PcapngWriter writer(path_, "deny container-one -> 10.1.2.3 tcp/80");
    const auto eth0 = writer.add_interface("container-one:eth0", LinkType::linux_sll2, 65535);
    const auto uplink = writer.add_interface("host:ens4", LinkType::linux_sll2, 65535);
    writer.write(eth0, 1'700'000'000'123'456'789U, frame, frame.size(), Direction::out, "probe (on its way)");
    writer.write(uplink, 1'700'000'000'123'556'789U, frame, 1500, Direction::in, "line\nbreak \x1b[31m");
    writer.write(uplink, 1'700'000'000'123'656'789U, std::span(frame).first(45), frame.size(), Direction::unknown);
    writer.close();
  }

  std::string directory_, path_;
};

TEST_F(PcapngTest, CapinfosShowsTheInterfaceNames) {
  if (missing("capinfos")) {
    if (std::getenv("CI") != nullptr) FAIL() << "capinfos (package tshark) is missing";
    GTEST_SKIP() << "capinfos (package tshark) is missing";
  }
  write_two_interfaces();
  const std::string text = output_of("capinfos " + path_);
  EXPECT_THAT(text, HasSubstr("pcapng"));
  EXPECT_THAT(text, HasSubstr("Name = container-one:eth0"));
  EXPECT_THAT(text, HasSubstr("Name = host:ens4"));
  EXPECT_THAT(text, HasSubstr("Time precision = nanoseconds (9)"));
  EXPECT_THAT(text, HasSubstr("deny container-one -> 10.1.2.3 tcp/80"));
}

TEST_F(PcapngTest, TsharkReadsEveryPacketWithItsPlaceTimeDirectionAndComment) {
  if (missing("tshark")) {
    if (std::getenv("CI") != nullptr) FAIL() << "tshark is missing";
    GTEST_SKIP() << "tshark is missing";
  }
  write_two_interfaces();
  const std::string text = output_of("tshark -r " + path_ +
                                     " -T fields -E separator='|' -e frame.interface_name -e frame.time_epoch"
                                     " -e frame.packet_flags_direction -e frame.comment -e frame.len -e ip.src");
  EXPECT_EQ(text,
            "container-one:eth0|1700000000.123456789|0x00000002|probe (on its way)|48|192.168.99.11\n"
            "host:ens4|1700000000.123556789|0x00000001|line?break ?[31m|1500|192.168.99.11\n"
            "host:ens4|1700000000.123656789|||48|192.168.99.11\n");
}

TEST_F(PcapngTest, SaysThatTheDiskIsFull) {
  try {
    PcapngWriter writer("/dev/full");
    writer.add_interface("host:ens4", LinkType::linux_sll2, 65535);
    writer.close();
    FAIL() << "nothing was said";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/dev/full"));
    EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
  }
}

TEST_F(PcapngTest, SaysWhichFileCannotBeMade) {
  try {
    PcapngWriter writer(directory_ + "/not-there/trace.pcapng");
    FAIL() << "nothing was said";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("not-there/trace.pcapng"));
  }
}

}  // namespace
}  // namespace plumbline::traffic
