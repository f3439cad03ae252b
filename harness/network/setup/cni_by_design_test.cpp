#include "harness/network/setup/cni_by_design.hpp"

#include <gtest/gtest.h>

#include "harness/network/setup/host_survey_nft.hpp"

namespace plumbline::network {
namespace {

const KeptNames kNames{{"cni0"}, {"CNI-ADMIN"}, {"/var/lib/cni/networks/net"}};

HostEntry entry_of(const std::string& text, const std::string& link = {}) {
  HostEntry entry;
  entry.text = text;
  entry.link = link;
  return entry;
}

/// Of those entries of a ruleset, what would be told.
std::vector<std::string> told_of(const std::string& ruleset) {
  std::vector<std::string> told;
  for (const HostEntry& entry : nft_entries(ruleset)) {
    if (!stays_by_design(entry, kNames)) told.push_back(entry.text);
  }
  return told;
}

TEST(CniByDesign, ABridgeStaysWithItsAddresses) {
  EXPECT_TRUE(stays_by_design(entry_of("link cni0 of kind bridge", "cni0"), kNames));
  EXPECT_TRUE(stays_by_design(entry_of("address 10.88.0.1/16 dev cni0", "cni0"), kNames));
  EXPECT_TRUE(stays_by_design(entry_of("link cni0.100 of kind veth", "cni0.100"), kNames));
  for (const char* no : {"link cni0 of kind dummy", "link other of kind bridge", "link left0 of kind veth",
                         "link cni0.x of kind veth", "link cni0.7 of kind macvlan",
                         "address 10.55.0.1/24 dev left0", "permanent neighbour 10.88.0.9 dev cni0",
                         "routing rule 1: from 10.88.0.2 table 99", "xfrm policy src a dst b dir out",
                         "process sleep (pid 4)", "name left in /run/netns", "mount /run/mm (tmpfs x)"}) {
    const std::string text = no;
    const std::size_t dev = text.find(" dev ");
    const std::string link = text.starts_with("link ")  ? text.substr(5, text.find(' ', 5) - 5)
                             : dev != std::string::npos ? text.substr(dev + 5)
                                                        : "";
    EXPECT_FALSE(stays_by_design(entry_of(text, link), kNames)) << text;
  }
}

TEST(CniByDesign, NotesAndLocksStayAndNoOtherFile) {
  for (const char* yes : {"file /var/lib/cni/networks/net/last_reserved_ip.0: 10.88.0.2",
                          "file /var/lib/cni/networks/net/lock: ", "file /run/xtables.lock: "}) {
    EXPECT_TRUE(stays_by_design(entry_of(yes), kNames)) << yes;
  }
  for (const char* no : {"file /var/lib/cni/networks/net/10.88.0.2: plumbline-one",
                         "file /var/lib/evil/lock: one", "file /run/ev/last_reserved_ip.10.5.0.2: x",
                         "file /var/lib/cni/networks/net/last_reserved_ip.10.5.0.2: x",
                         "file /run/other/x: x", "file /etc/hosts was taken away"}) {
    EXPECT_FALSE(stays_by_design(entry_of(no), kNames)) << no;
  }
}

TEST(CniByDesign, RoutesOfTheKernelsAreThoseOfAnAddress) {
  const std::vector<HostEntry> held{entry_of("address 10.88.0.1/16 dev cni0", "cni0")};
  const auto is_one = [&](const std::string& to, const std::string& link, bool automatic = true) {
    HostEntry route = entry_of("route " + to + " dev " + link + " table 254", link);
    route.automatic = automatic;
    return is_of_an_address(route, held);
  };
  EXPECT_TRUE(is_one("10.88.0.0/16", "cni0"));
  EXPECT_TRUE(is_one("10.88.0.1/32", "cni0"));
  EXPECT_TRUE(is_one("fe80::/64", "cni0"));
  EXPECT_FALSE(is_one("10.88.0.0/16", "cni0", false));
  EXPECT_FALSE(is_one("10.88.0.0/16", "ens4"));
  EXPECT_FALSE(is_one("10.77.0.0/24", "cni0"));
  EXPECT_FALSE(is_one("10.88.0.0/15", "cni0"));
}

TEST(CniByDesign, SharedChainsStayAndWhatTiesThemTogether) {
  EXPECT_EQ(told_of("table ip nat { # handle 1\n"
                    "\tchain POSTROUTING { # handle 1\n"
                    "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
                    "\t\tcounter jump CNI-HOSTPORT-MASQ # handle 3\n"
                    "\t}\n"
                    "\tchain CNI-HOSTPORT-MASQ { # handle 2\n"
                    "\t\tmeta mark & 0x00002000 == 0x00002000 counter masquerade # handle 4\n"
                    "\t}\n"
                    "\tchain PREROUTING { # handle 5\n"
                    "\t\tfib daddr type local counter jump CNI-HOSTPORT-DNAT # handle 6\n"
                    "\t}\n"
                    "}\n"
                    "table ip filter { # handle 2\n"
                    "\tchain CNI-ISOLATION-STAGE-1 { # handle 7\n"
                    "\t\tiifname \"cni0\" oifname != \"cni0\" counter jump CNI-ISOLATION-STAGE-2 # handle 8\n"
                    "\t}\n"
                    "}\n"
                    "table ip cni_hostport { # handle 9\n"
                    "\tchain hostports { # handle 1\n"
                    "\t}\n"
                    "}\n"),
            std::vector<std::string>());
}

TEST(CniByDesign, OfIptablesLegacyTheSameStays) {
  const auto stays = [](const std::string& table, const std::string& chain, const std::string& rule) {
    return stays_by_design({"rule", chain, "legacy " + table, "-A " + chain + " " + rule}, kNames);
  };
  EXPECT_TRUE(
      stays("filter", "FORWARD", "-m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD"));
  EXPECT_TRUE(stays("filter", "CNI-ISOLATION-STAGE-1",
                    "-i cni0 ! -o cni0 -m comment --comment \"x y\" -j CNI-ISOLATION-STAGE-2"));
  EXPECT_TRUE(stays("nat", "OUTPUT", "-m addrtype -j CNI-HOSTPORT-DNAT"));
  EXPECT_FALSE(stays("filter", "CNI-FWD", "-m mac -j ACCEPT"));
  EXPECT_FALSE(stays("filter", "FORWARD", "-j ACCEPT"));
  EXPECT_FALSE(stays("filter", "FORWARD", "-m mac -j CNI-FORWARD"));
  EXPECT_FALSE(stays("nat", "FORWARD", "-j CNI-FORWARD"));
  EXPECT_FALSE(stays("filter", "CNI-ISOLATION-STAGE-2", "-o eth0 -j DROP"));
  EXPECT_FALSE(stays_by_design({"chain", "CNI-1a2b3c4d", "legacy nat"}, kNames));
}

TEST(CniByDesign, APolicyOfDropDoesNotStay) {
  EXPECT_EQ(told_of("table ip filter { # handle 1\n"
                    "\tchain FORWARD { # handle 1\n"
                    "\t\ttype filter hook forward priority filter; policy drop;\n"
                    "\t}\n"
                    "}\n"),
            (std::vector<std::string>{"policy drop of the chain of nft ip filter FORWARD"}));
}

TEST(CniByDesign, NothingElseOfARulesetStays) {
  EXPECT_EQ(
      told_of("table inet left-plumbline-web { # handle 1\n"
              "\tcounter c { # handle 3\n"
              "\t}\n"
              "}\n"
              "table ip filter { # handle 2\n"
              "\tset s { # handle 9\n"
              "\t\ttype ipv4_addr\n"
              "\t}\n"
              "\tchain FORWARD { # handle 1\n"
              "\t\t@nh,96,32 0xa580002 drop # handle 2\n"
              "\t}\n"
              "\tchain CNI-FORWARD { # handle 3\n"
              "\t\tip saddr 10.88.0.0/16 drop # handle 4\n"
              "\t\t@nh,96,32 0xa580002 drop # handle 5\n"
              "\t\tiifname \"veth*\" drop # handle 6\n"
              "\t\tct mark 0x00000077 accept # handle 8\n"
              "\t}\n"
              "\tchain CNI-1a2b3c4d { # handle 9\n"
              "\t}\n"
              "\tchain CNI-2289eab9aeb9175e503f2c16 { # handle 7\n"
              "\t}\n"
              "}\n"),
      (std::vector<std::string>{
          "nft table inet left-plumbline-web", "nft inet left-plumbline-web counter c", "nft ip filter set s",
          "in nft ip filter set s: type ipv4_addr", "rule of nft ip filter FORWARD: @nh,96,32 0xa580002 drop",
          "rule of nft ip filter CNI-FORWARD: ip saddr 10.88.0.0/16 drop",
          "rule of nft ip filter CNI-FORWARD: @nh,96,32 0xa580002 drop",
          "rule of nft ip filter CNI-FORWARD: iifname \"veth*\" drop",
          "rule of nft ip filter CNI-FORWARD: ct mark 0x00000077 accept",
          "chain of nft ip filter CNI-1a2b3c4d", "chain of nft ip filter CNI-2289eab9aeb9175e503f2c16"}));
}

TEST(CniByDesign, BridgesAreThoseOfTheConfiguration) {
  const auto of = [](const std::string& plugins) {
    return kept_names(cni::parse_configuration(R"({"cniVersion": "1.0.0", "name": "n", "plugins": [)" +
                                               plugins + "]}"))
        .bridges;
  };
  EXPECT_EQ(of(R"({"type": "bridge"})"), (std::set<std::string>{"cni0"}));
  EXPECT_EQ(of(R"({"type": "flannel", "delegate": {"bridge": "br9"}}, {"type": "ptp"})"),
            (std::set<std::string>{"br9"}));
}

}  // namespace
}  // namespace plumbline::network
