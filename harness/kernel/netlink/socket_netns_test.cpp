#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/nsid.hpp"
#include "harness/kernel/netlink/rule.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::kernel::netlink {
namespace {

using ::testing::HasSubstr;

constexpr unsigned kLoopback = 1;

void bring_up_loopback(Socket& socket) {
  LinkChange change;
  change.index = kLoopback;
  change.up = true;
  Batch batch("test");
  batch.add(set_link(change), [] { return "bringing up lo"; });
  socket.execute(batch);
}

IpAddress numbered(int number) {
  return IpAddress::v4(
      {10, 7, static_cast<std::uint8_t>(number / 256), static_cast<std::uint8_t>(number % 256)});
}

TEST(Socket, StaysInItsNamespace) {
  const Netns netns = Netns::create();
  Socket inside = Socket::open(netns);
  Socket outside = Socket::open();
  bring_up_loopback(inside);
  const auto links = inside.dump(get_links(), "links", decode_link);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].name, "lo");
  EXPECT_TRUE(links[0].loopback);
  EXPECT_TRUE(links[0].up);
  const Netns other = Netns::create();
  Socket untouched = Socket::open(other);
  EXPECT_FALSE(untouched.dump(get_links(), "links", decode_link).at(0).up);
}

TEST(Socket, CollectsAcknowledgementsOfManyChunks) {
  Socket socket = Socket::open(Netns::create());  // its socket alone keeps the namespace
  Batch batch("test");
  for (int i = 0; i < 1000; ++i) {
    batch.add(add_address({kLoopback, {numbered(i), 32}}), [] { return "adding an address"; });
  }
  socket.execute(batch);
  EXPECT_EQ(socket.dump(get_addresses(IpFamily::v4), "addresses", decode_address).size(), 1000U);
}

TEST(Socket, AnEmptyBatchIsNothing) {
  Socket socket = Socket::open(Netns::create());
  Batch batch("test");
  socket.execute(batch);
}

TEST(Socket, RefusalIsNamedAndTheRestIsDone) {
  Socket socket = Socket::open(Netns::create());
  Batch batch("node x");
  const InterfaceAddress address{numbered(1), 32};
  batch.add(add_address({kLoopback, address}), [] { return "first"; });
  batch.add(add_address({kLoopback, address}), [] { return "second"; });
  batch.add(add_address({99, address}), [] { return "third"; });
  batch.add(add_address({kLoopback, {numbered(2), 32}}), [] { return "fourth"; });
  try {
    socket.execute(batch);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("node x: second: "));
    EXPECT_THAT(error.what(), HasSubstr("(File exists)"));
    EXPECT_THAT(error.what(), HasSubstr("(and 1 more requests were refused)"));
    EXPECT_EQ(error.error_number(), EEXIST);
  }
  EXPECT_EQ(socket.dump(get_addresses(IpFamily::v4), "addresses", decode_address).size(), 2U);
}

TEST(Socket, TellsTheKernelsOwnText) {
  Socket socket = Socket::open(Netns::create());
  Batch batch("node x");
  LinkChange change;
  change.index = kLoopback;
  change.master = 77;
  batch.add(set_link(change), [] { return "giving lo a master"; });
  Rule rule;
  rule.table = 88;
  rule.priority = 5;
  rule.from = Prefix::parse("10.0.0.0/8");
  try {
    socket.execute(batch);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("node x: giving lo a master: "));
  }
  Batch rules("node x");
  rules.add(add_rule(rule), [] { return "first"; });
  rules.add(add_rule(rule), [] { return "adding it again"; });
  EXPECT_THROW(socket.execute(rules), Error);
}

TEST(Socket, AnswersComeToTheirRequest) {
  const Netns one = Netns::create();
  const Netns two = Netns::create();
  Socket socket = Socket::open(one);
  std::optional<std::int32_t> before;
  std::optional<std::int32_t> after;
  Batch batch("test");
  batch.add(
      get_nsid(two.fd()), [] { return "asking"; },
      [&](const Received& answer) { before = decode_nsid(answer); });
  batch.add(set_nsid(two.fd(), 41), [] { return "giving"; });
  batch.add(
      get_nsid(two.fd()), [] { return "asking"; },
      [&](const Received& answer) { after = decode_nsid(answer); });
  socket.execute(batch);
  EXPECT_EQ(before, std::nullopt);
  EXPECT_EQ(after, 41);
}

TEST(Socket, HearsOfChanges) {
  const Netns netns = Netns::create();
  Socket events = Socket::open(netns);
  events.subscribe(Group::links);
  EXPECT_FALSE(events.wait(Deadline::after(std::chrono::milliseconds(0))));
  Socket socket = Socket::open(netns);
  bring_up_loopback(socket);
  EXPECT_TRUE(events.wait(Deadline::after(std::chrono::milliseconds(10000))));
}

TEST(Socket, RefusedDumpNamesWhatWasRead) {
  Socket socket = Socket::open(Netns::create());
  const Message nonsense(0x7FFF, 0, std::uint32_t{0});
  try {
    socket.dump(nonsense, "listing nothing", decode_link);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("listing nothing: "));
  }
}

}  // namespace
}  // namespace plumbline::kernel::netlink
