#include <plumbline/testing.hpp>

using namespace plumbline::testing;

namespace {

class Shop : public NetworkTest {
 protected:
  Shop()
      : NetworkTest(scenario_text(
            "world: diy\n"
            "setup:\n"
            "  native:\n"
            "    bridges: {bridge0: {address: 192.168.99.1/24, containers: {shop: 192.168.99.11}}}\n"
            "    forward: {allow: ens4, deny: 10.0.0.0/8}\n"
            "    masquerade: ens4\n")) {}
};

TEST_F(Shop, SeesTheInternetAndNothingInternal) {
  EXPECT_THAT(from("shop").to("internet").tcp(80), Egresses("ens4"));
  EXPECT_THAT(from("shop").to("10.1.2.3").tcp(80), IsDenied());
}

}  // namespace
