#include <gtest/gtest.h>

#include <algorithm>

#include "harness/kernel/links/bridge.hpp"
#include "harness/kernel/links/veth.hpp"
#include "harness/kernel/netlink/fdb.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/nsid.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::kernel::links {
namespace {

using netlink::Link;

std::optional<Link> find(netlink::Socket& socket, const std::string& name) {
  for (auto& link : socket.dump(netlink::get_links(), "links", netlink::decode_link)) {
    if (link.name == name) return std::move(link);
  }
  return std::nullopt;
}

TEST(LinkVeth, IsMadeStraightIntoTwoNamespaces) {
  const Netns one = Netns::create();
  const Netns two = Netns::create();
  netlink::Socket inside_one = netlink::Socket::open(one);
  netlink::Socket inside_two = netlink::Socket::open(two);
  netlink::Socket outside = netlink::Socket::open();
  Veth veth;
  veth.end = {"left", one.fd(), 5, MacAddress{{2, 0, 0, 0, 0, 1}}, 1400};
  veth.peer = {"right", two.fd(), 6, std::nullopt, 1300};
  netlink::Batch batch("test");
  batch.add(create(veth), [] { return "creating a veth"; });
  outside.execute(batch);

  const auto left = find(inside_one, "left");
  const auto right = find(inside_two, "right");
  ASSERT_TRUE(left);
  ASSERT_TRUE(right);
  EXPECT_EQ(left->kind, "veth");
  EXPECT_EQ(left->index, 5U);
  EXPECT_EQ(left->link, 6U);
  EXPECT_EQ(left->mac, veth.end.mac);
  EXPECT_EQ(left->mtu, 1400U);
  EXPECT_EQ(right->mtu, 1300U);
  EXPECT_EQ(right->link, 5U);
  ASSERT_TRUE(left->link_nsid);
  std::optional<std::int32_t> number;
  netlink::Batch question("test");
  question.add(
      netlink::get_nsid(two.fd()), [] { return "asking"; },
      [&](const netlink::Received& answer) { number = netlink::decode_nsid(answer); });
  inside_one.execute(question);
  EXPECT_EQ(number, left->link_nsid);
}

TEST(LinkBridge, ForwardsAsSoonAsAPortHasCarrier) {
  const Netns netns = Netns::create();
  netlink::Socket socket = netlink::Socket::open(netns);
  netlink::Socket events = netlink::Socket::open(netns);
  events.subscribe(netlink::Group::links);
  netlink::Batch batch("test");
  const Bridge bridge{"bridge0", 2, std::nullopt, 0, true};
  batch.add(create(bridge), [] { return "creating a bridge"; });
  Veth veth;
  veth.end = {"port", std::nullopt, 3};
  veth.peer = {"other", std::nullopt, 4};
  veth.master = 2;
  veth.up = true;
  batch.add(create(veth), [] { return "creating a port"; });
  netlink::LinkChange change;
  change.index = 4;
  change.up = true;
  batch.add(netlink::set_link(change), [] { return "bringing the peer up"; });
  socket.execute(batch);
  const Deadline deadline = Deadline::after(std::chrono::seconds(10));
  std::optional<Link> port = find(socket, "port");
  while (port && port->port_state != 3 && events.wait(deadline)) port = find(socket, "port");
  ASSERT_TRUE(port);
  EXPECT_EQ(port->port_state, 3) << "BR_STATE_FORWARDING";
  EXPECT_EQ(port->master, 2U);
  EXPECT_TRUE(port->running);
}

TEST(LinkBridge, TellsItsForwardingTable) {
  netlink::Socket socket = netlink::Socket::open(Netns::create());
  netlink::Batch batch("test");
  for (const unsigned index : {2U, 3U}) {
    batch.add(create(Bridge{"bridge" + std::to_string(index), index, std::nullopt, 0, true}),
              [] { return "creating a bridge"; });
  }
  Veth veth;
  veth.end = {"port", std::nullopt, 4, MacAddress{{2, 0, 0, 0, 0, 4}}};
  veth.peer = {"other", std::nullopt, 5};
  veth.master = 2;
  batch.add(create(veth), [] { return "creating a port"; });
  netlink::FdbEntry fixed;
  fixed.port = 4;
  fixed.mac = MacAddress{{2, 0, 0, 0, 0, 99}};
  batch.add(netlink::add_fdb_entry(fixed), [] { return "adding an entry"; });
  socket.execute(batch);
  const auto entries = socket.dump(netlink::get_fdb(2), "entries", netlink::decode_fdb_entry);
  const auto found = std::ranges::find(entries, fixed.mac, &netlink::FdbEntry::mac);
  ASSERT_NE(found, entries.end());
  EXPECT_EQ(found->port, 4U);
  EXPECT_EQ(found->bridge, 2U);
  EXPECT_TRUE(found->fixed);
  const auto own = std::ranges::find(entries, *veth.end.mac, &netlink::FdbEntry::mac);
  ASSERT_NE(own, entries.end());
  EXPECT_TRUE(own->own);
  const auto others = socket.dump(netlink::get_fdb(3), "entries", netlink::decode_fdb_entry);
  EXPECT_EQ(std::ranges::find(others, fixed.mac, &netlink::FdbEntry::mac), others.end());
}

}  // namespace
}  // namespace plumbline::kernel::links
