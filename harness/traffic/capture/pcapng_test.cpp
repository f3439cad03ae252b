#include "harness/traffic/capture/pcapng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "harness/base/error.hpp"

namespace plumbline::traffic {
namespace {

using testing::HasSubstr;

/// What a tool printed; the test skips where the tool is not installed, and fails there in CI.
std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe =
      ::popen((command + " 2>/dev/null").c_str(), "r");  // NOLINT(cert-env33-c): fixed commands of the test
  if (pipe == nullptr) return text;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), got);
  ::pclose(pipe);
  return text;
}

bool missing(const std::string& tool) {
  return output_of("command -v " + tool).empty();
}

bool must_run() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

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
    const std::vector<std::uint8_t> frame{0x08, 0,    0,    0,    0,    0,    0,    2,    0,    1,   4,  6,
                                          0x0e, 0x98, 0x71, 0x83, 0x72, 0x81, 0,    0,    0x45, 0,   0,  0x1c,
                                          0x1a, 0x2b, 0x40, 0,    0x40, 1,    0xd9, 0x39, 192,  168, 99, 11,
                                          203,  0,    113,  80,   8,    0,    0xf7, 0xfd, 0,    1,   0,  1};
    PcapngWriter writer(path_, "deny container-one -> 10.1.2.3 tcp/80");
    const auto eth0 = writer.add_interface("container-one:eth0", LinkType::linux_sll2, 65535);
    const auto uplink = writer.add_interface("host:ens4", LinkType::linux_sll2, 65535);
    writer.write(eth0, 1'700'000'000'123'456'789U, frame, frame.size(), Direction::out, "probe (on its way)");
    writer.write(uplink, 1'700'000'000'123'556'789U, frame, 1500, Direction::in, "line\nbreak \x1b[31m");
    writer.write(uplink, 1'700'000'000'123'656'789U, std::span(frame).first(45), frame.size(),
                 Direction::unknown);
    writer.close();
  }

  std::string directory_, path_;
};

TEST_F(PcapngTest, CapinfosShowsTheInterfaceNames) {
  if (missing("capinfos")) {
    if (must_run()) FAIL() << "capinfos (package tshark) is missing";
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
    if (must_run()) FAIL() << "tshark is missing";
    GTEST_SKIP() << "tshark is missing";
  }
  write_two_interfaces();
  const std::string text =
      output_of("tshark -r " + path_ +
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

TEST_F(PcapngTest, SaysThatTheDiskFilledUpWhileWriting) {
  // More than stdio's buffer: the write that fails is an early one, and its reason must last until close().
  PcapngWriter writer("/dev/full");
  const auto eth0 = writer.add_interface("host:ens4", LinkType::linux_sll2, 65535);
  const std::vector<std::uint8_t> frame(60000);
  for (int i = 0; i < 4; ++i) writer.write(eth0, 1, frame, frame.size(), Direction::in);
  try {
    writer.close();
    FAIL() << "nothing was said";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_number(), ENOSPC);
  }
  writer.close();  // said once
}

TEST_F(PcapngTest, RefusesWhatWouldMakeTheFileInvalid) {
  PcapngWriter writer(path_);
  EXPECT_THROW(writer.write(0, 1, {}, 0, Direction::in), Error);
  writer.add_interface("host:ens4", LinkType::linux_sll2, 65535);
  EXPECT_NO_THROW(writer.write(0, 1, {}, 0, Direction::in));
  writer.close();
  EXPECT_THROW(writer.write(0, 1, {}, 0, Direction::in), Error);
}

TEST_F(PcapngTest, CommentsAreUtf8AndFitAnOption) {
  if (missing("tshark")) {
    if (must_run()) FAIL() << "tshark is missing";
    GTEST_SKIP() << "tshark is missing";
  }
  const std::vector<std::uint8_t> frame(20);
  std::string longest(65534, 'x');
  PcapngWriter writer(path_);
  const auto eth0 = writer.add_interface("host:ens4", LinkType::linux_sll2, 65535, "the first uplink");
  // Good letters; a byte that begins nothing, an overlong slash, a surrogate, a C1 control, a cut letter.
  writer.write(eth0, 1, frame, 20, Direction::other_host, "gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\xA7");
  writer.write(eth0, 2, frame, 20, Direction::in, "\xFF \xC0\xAF \xED\xA0\x80 \xC2\x9B \xE2\x82");
  writer.write(eth0, 3, frame, 20, Direction::in,
               longest + "\xC3\xBC");  // the last letter would end at 65,536
  writer.close();
  const std::string text = output_of("tshark -r " + path_ +
                                     " -T fields -E separator='|' -e frame.comment"
                                     " -e frame.interface_description -e frame.packet_flags_reception_type");
  EXPECT_EQ(text.substr(0, text.find('\n')), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\xA7|the first uplink|4");
  EXPECT_THAT(text, HasSubstr("\n? ?? ??? ? ??|the first uplink|0\n"));
  // tshark shows the start of a long text only: the file itself tells.
  std::ifstream file(path_, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(bytes, HasSubstr(longest + std::string(2, '\0')));
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
