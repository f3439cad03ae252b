#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/traffic/capture/capture.hpp"
#include "harness/traffic/packet/packet.hpp"

namespace plumbline::traffic {
namespace {

using kernel::Netns;
using testing::Contains;
using testing::Pair;

void shell(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(cert-env33-c): fixed commands of the test
}

/// A ping before carrier is there waits for ARP's second try, a second later: hence the generous limits.
/// left (10.9.0.1) ── veth ── right (10.9.0.2)
class CaptureTest : public testing::Test {
 protected:
  void SetUp() override {
    left_.bind(directory("left"));
    right_.bind(directory("right"));
    shell("ip -n left link add wire type veth peer name wire netns right");
    shell("ip -n left addr add 10.9.0.1/24 dev wire && ip -n right addr add 10.9.0.2/24 dev wire");
    for (const char* node : {"left", "right"}) {
      shell(std::string("ip -n ") + node + " link set lo up && ip -n " + node + " link set wire up");
    }
  }
  void TearDown() override {
    capture_.reset();
    Netns::unbind(directory("left"));
    Netns::unbind(directory("right"));
  }
  static std::string directory(const std::string& name) {
    return std::string(kernel::kNetnsDirectory) + "/" + name;
  }

  void open(const CaptureOptions& options) {
    capture_.emplace(loop_.get_executor(), std::vector<TapSource>{{"left", &left_}, {"right", &right_}},
                     options, [this](const Frame& frame) { take(frame); });
  }

  void take(const Frame& frame) {
    const Packet packet = decode(frame.bytes, LinkType::linux_sll2);
    if (!packet.ip || packet.ip->destination != *IpAddress::parse("10.9.0.2")) return;
    const char* direction = packet.direction == Direction::out ? " out" : " in";
    const std::string place =
        capture_->node(frame.tap) + ":" + capture_->interface_name(frame.tap, frame.interface);
    ++seen_[place + direction];
    if (packet.direction == Direction::out) left_at_.push_back(frame.time_ns);
    if (packet.direction == Direction::in) arrived_at_.push_back(frame.time_ns);
  }

  /// Sends datagrams from left to right without letting the event loop run.
  void send(int count) const {
    const Fd socket = left_.run([] { return Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    ::inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
                1);  // NOLINT
    }
  }

  Netns left_ = Netns::create();
  Netns right_ = Netns::create();
  boost::asio::io_context loop_;
  std::optional<Capture> capture_;
  std::map<std::string, int> seen_;
  std::vector<std::uint64_t> left_at_, arrived_at_;
};

TEST_F(CaptureTest, SeesAPacketAtBothEndsWithNamesDirectionsAndTimesInOrder) {
  open({});
  shell("ip netns exec left ping -q -c 3 -i 0.002 -W 10 10.9.0.2 >/dev/null");
  capture_->drain();
  EXPECT_THAT(seen_, Contains(Pair("left:wire out", 3)));
  EXPECT_THAT(seen_, Contains(Pair("right:wire in", 3)));
  ASSERT_EQ(left_at_.size(), 3U);
  ASSERT_EQ(arrived_at_.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(left_at_[i], arrived_at_[i]);
  EXPECT_EQ(capture_->dropped(), 0U);
}

TEST_F(CaptureTest, DeliversOnTheEventLoopToo) {
  open({});
  shell("ip netns exec left ping -q -c 1 -W 10 10.9.0.2 >/dev/null");
  while (seen_.size() < 2 && loop_.run_one_for(std::chrono::seconds(5)) > 0) {
  }
  EXPECT_EQ(seen_.size(), 2U);
}

TEST_F(CaptureTest, LosesNothingOfABurstThatFits) {
  CaptureOptions options;
  options.snap_length = 256;
  options.buffer_bytes = 4U << 20U;
  open(options);
  shell("ip netns exec left ping -q -c 1 -W 10 10.9.0.2 >/dev/null");  // the neighbours know each other then
  capture_->drain();
  seen_.clear();
  send(2000);
  capture_->drain();
  EXPECT_THAT(seen_, Contains(Pair("left:wire out", 2000)));
  EXPECT_EQ(capture_->dropped(), 0U);
}

TEST_F(CaptureTest, SaysThatFramesWereLost) {
  CaptureOptions options;
  options.buffer_bytes = 1U << 16U;
  open(options);
  shell("ip netns exec left ping -q -c 1 -W 10 10.9.0.2 >/dev/null");
  send(2000);
  EXPECT_GT(capture_->dropped(), 0U);
  const std::uint64_t before = capture_->dropped();
  EXPECT_GE(capture_->dropped(), before) << "reading the count must not reset it";
}

TEST_F(CaptureTest, EndsWhileFramesAreWaiting) {
  open({});
  send(100);
  capture_.reset();
  loop_.poll();  // handlers of the ended capture find it gone
  EXPECT_TRUE(seen_.empty());
}

TEST_F(CaptureTest, EndsWhileTheEventLoopIsBusyWithFrames) {
  open({});
  send(100);
  loop_.run_one();
  capture_.reset();
  seen_.clear();
  loop_.poll();
  EXPECT_TRUE(seen_.empty());
}

TEST_F(CaptureTest, CountsLossesFromTheBeginning) {
  CaptureOptions options;
  options.buffer_bytes = 1U << 16U;
  open(options);
  shell("ip netns exec left ping -q -c 1 -W 10 10.9.0.2 >/dev/null");
  send(2000);
  const std::uint64_t first = capture_->dropped();
  send(2000);
  EXPECT_GE(capture_->dropped(), first + 1500);
}

TEST_F(CaptureTest, PassesOnWhatTheHandlerThrowsAndLosesOnlyThatFrame) {
  int calls = 0;
  capture_.emplace(loop_.get_executor(), std::vector<TapSource>{{"left", &left_}}, CaptureOptions{},
                   [&calls](const Frame&) {
                     if (++calls == 2) throw std::runtime_error("the second");
                   });
  shell("ip netns exec left ping -q -c 3 -i 0.002 -W 10 127.0.0.1 >/dev/null");
  EXPECT_THROW(capture_->drain(), std::runtime_error);
  EXPECT_EQ(calls, 2);
  capture_->drain();
  EXPECT_GE(calls, 6);
}

TEST_F(CaptureTest, SeesALoopbackFrameOnce) {
  std::map<Direction, int> frames;
  capture_.emplace(loop_.get_executor(), std::vector<TapSource>{{"left", &left_}}, CaptureOptions{},
                   [&](const Frame& frame) {
                     if (capture_->interface_name(0, frame.interface) != "lo") return;
                     ++frames[decode(frame.bytes, LinkType::linux_sll2).direction];
                   });
  shell("ip netns exec left ping -q -c 1 -W 10 127.0.0.1 >/dev/null");
  capture_->drain();
  EXPECT_EQ(frames, (std::map<Direction, int>{{Direction::in, 2}}));  // the request and its reply
}

/// Opens a capture in a child that has given up `capability`: true when it is told as it should be.
bool refusal_is_told(const boost::asio::any_io_executor& executor, const std::vector<TapSource>& taps,
                     unsigned capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held{};
  if (::syscall(SYS_capget, &header, held.data()) != 0) return false;
  held.at(capability / 32).effective &= ~(1U << (capability % 32));
  if (::syscall(SYS_capset, &header, held.data()) != 0) return false;
  try {
    const Capture refused(executor, taps, {}, [](const Frame&) {});
  } catch (const Error& error) {
    std::fprintf(stderr, "%s (%s)\n", error.what(), error.remedy().c_str());
    return error.kind() == ErrorKind::environment && !error.remedy().empty() &&
           std::string_view(error.what()).starts_with("node left: ");
  }
  return false;
}

TEST_F(CaptureTest, OneErrorNamesTheNodeAndTheRemedy) {
  for (const unsigned capability : {unsigned{CAP_NET_RAW}, unsigned{CAP_SYS_ADMIN}}) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool told =
          refusal_is_told(loop_.get_executor(), {{"left", &left_}, {"right", &right_}}, capability);
      ::_exit(told ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "without capability " << capability;
  }
}

TEST_F(CaptureTest, SeesAnInterfaceThatAppearsLater) {
  open({});
  shell("ip -n left link add later type veth peer name later netns right");
  shell("ip -n left addr add 10.9.1.1/24 dev later");
  shell("ip -n left link set later up && ip -n right link set later up");
  shell("ip -n left route add 10.9.0.2/32 dev later && ip -n right route add 10.9.1.1/32 dev later");
  shell("ip netns exec left ping -q -c 1 -W 5 10.9.0.2 >/dev/null");
  capture_->drain();
  EXPECT_EQ(seen_, (std::map<std::string, int>{{"left:later out", 1}, {"right:later in", 1}}));
}

TEST_F(CaptureTest, NamesAnInterfaceThatIsGoneByItsNumber) {
  open({});
  EXPECT_EQ(capture_->interface_name(0, 4242), "if4242");
}

TEST_F(CaptureTest, OpensManyTapsTogether) {
  std::vector<Netns> nodes;
  for (int i = 0; i < 80; ++i) nodes.push_back(Netns::create());
  std::vector<TapSource> sources;
  for (const Netns& node : nodes) sources.push_back({"node", &node});
  CaptureOptions options;
  options.buffer_bytes = 1U << 16U;
  const Capture capture(loop_.get_executor(), sources, options, [](const Frame&) {});
  EXPECT_EQ(capture.dropped(), 0U);
}

/// On one interface, with a filter of its own, and whole Ethernet frames.
class InterfaceTap : public CaptureTest {
 protected:
  void open_on(const char* interface, const char* filter) {
    capture_.emplace(loop_.get_executor(),
                     std::vector<TapSource>{{"left", &left_, 1U << 18U, interface, filter}}, CaptureOptions{},
                     [this](const Frame& frame) {
                       EXPECT_EQ(frame.link_type, LinkType::ethernet);
                       EXPECT_EQ(capture_->interface_name(frame.tap, frame.interface), "wire");
                       packets_.push_back(decode(frame.bytes, frame.link_type));
                     });
  }
  void read() {
    capture_->drain();
    loop_.restart();
    loop_.poll();
  }

  std::vector<Packet> packets_;
};

TEST_F(InterfaceTap, SeesWhatItsFilterMatchesWithHardwareAddresses) {
  open_on("wire", "icmp[icmptype] == icmp-echo");
  shell("ip netns exec left ping -q -c 2 -i 0.002 -W 10 10.9.0.2 >/dev/null");
  read();
  ASSERT_EQ(packets_.size(), 2U);
  EXPECT_TRUE(packets_[0].source_mac);
  EXPECT_TRUE(packets_[0].destination_mac);
  EXPECT_EQ(packets_[0].ip->destination.to_string(), "10.9.0.2");
  EXPECT_EQ(capture_->dropped(0), 0U);
  EXPECT_EQ(capture_->problem(0), "");
}

TEST_F(InterfaceTap, EndsWithItsInterface) {
  open_on("wire", "icmp");
  shell("ip -n left link del wire");
  read();
  EXPECT_NE(capture_->problem(0), "");
  EXPECT_EQ(capture_->dropped(), 0U);
  read();
}

TEST_F(InterfaceTap, GoesOnWhenItsInterfaceWasDown) {
  open_on("wire", "icmp[icmptype] == icmp-echo");
  shell("ip -n left link set wire down");
  read();
  shell("ip -n left link set wire up");
  shell("ip netns exec left ping -q -c 1 -W 10 10.9.0.2 >/dev/null");
  read();
  EXPECT_EQ(capture_->problem(0), "");
  EXPECT_EQ(packets_.size(), 1U);
}

TEST_F(InterfaceTap, OfAnInterfaceThatIsNotThereIsRefusedByName) {
  try {
    open_on("wired", "icmp");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("left:wired"));
  }
}

TEST(Filter, IsCompiledWithoutACapture) {
  EXPECT_EQ(filter_problem("tcp port 80 and src net 192.168.99.0/24", LinkType::ethernet), std::nullopt);
  EXPECT_EQ(filter_problem("ether proto 0x0806", LinkType::ethernet), std::nullopt);
  const auto problem = filter_problem("tcp prot 80", LinkType::ethernet);
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, testing::HasSubstr("syntax error"));
}

}  // namespace
}  // namespace plumbline::traffic
