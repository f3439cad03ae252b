#include "harness/engine/spec/value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace plumbline::spec {
namespace {

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const SpecError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

Value read(const std::string& text) {
  return parse_yaml(text, "t.yaml");
}

const Value& a(const Value& document) {
  return *document.find("a");
}

TEST(SpecValue, ReadsWhatIsThere) {
  const Value v =
      read("a: 1500\nb: true\nc: 10.0.0.0/8\nd: 192.168.16.10/24\ne: \"2001:db8::1\"\nf: [x, y]\ng: h\n");
  EXPECT_EQ(a(v).as_number("a", 68, 65535), 1500U);
  EXPECT_TRUE(v.find("b")->as_bool("b"));
  EXPECT_EQ(v.find("c")->as_prefix("c").to_string(), "10.0.0.0/8");
  EXPECT_EQ(v.find("d")->as_interface_address("d").to_string(), "192.168.16.10/24");
  EXPECT_EQ(v.find("e")->as_address("e").to_string(), "2001:db8::1");
  ASSERT_EQ(v.find("f")->as_list().size(), 2U);
  EXPECT_EQ(v.find("f")->as_list()[1].as_text("f"), "y");
  ASSERT_EQ(v.find("g")->as_list().size(), 1U);
  EXPECT_EQ(v.find("g")->as_list()[0].as_text("g"), "h");
  EXPECT_EQ(v.find("absent"), nullptr);
  EXPECT_EQ(v.require("g", "this").mark.to_string(), "t.yaml:7:4");
}

TEST(SpecValue, NumbersAreWholeAndInRange) {
  for (const char* bad : {"big", "67", "65536", "-1", "1.5", "0x50", "1500 ", "99999999999999999999999"}) {
    const Value v = read(std::string("about: x\na: ") + bad + "\n");
    const std::string error = error_of([&] { a(v).as_number("mtu", 68, 65535); });
    if (std::string(bad) == "1500 ") {
      EXPECT_EQ(error, "no error");
      continue;
    }
    EXPECT_EQ(error.find("t.yaml:2:4: 'mtu' must be a whole number from 68 to 65535, not "), 0U)
        << bad << error;
  }
  const Value v = read("a: big");
  EXPECT_EQ(error_of([&] { a(v).as_number("mtu", 68, 65535); }),
            "t.yaml:1:4: 'mtu' must be a whole number from 68 to 65535, not 'big'");
  EXPECT_EQ(error_of([&] { a(v).as_number("version", 1, 1); }), "t.yaml:1:4: 'version' must be 1, not 'big'");
  const Value quoted = read("a: '1'");
  EXPECT_EQ(error_of([&] { a(quoted).as_number("version", 1, 1); }),
            "t.yaml:1:4: 'version' must be a number, not the text \"1\": leave the quotes out");
}

TEST(SpecValue, WrongKindsAreNamed) {
  const Value list = read("a: [1]");
  const Value map = read("a: {b: 1}");
  const Value none = read("x: 1\na:\nb: 2");
  EXPECT_EQ(error_of([&] { a(list).as_text("name"); }), "t.yaml:1:4: 'name' must be text, not a list");
  EXPECT_EQ(error_of([&] { a(map).as_bool("plant"); }),
            "t.yaml:1:4: 'plant' must be true or false, not a mapping");
  EXPECT_EQ(error_of([&] { a(none).as_text("name"); }), "t.yaml:2:1: 'name' must be text, not nothing");
  EXPECT_EQ(error_of([&] { a(list).as_mapping("a check"); }),
            "t.yaml:1:4: a check must be a mapping of keys, not a list");
  EXPECT_EQ(error_of([&] { read("a: yes").find("a")->as_bool("plant"); }),
            "t.yaml:1:4: 'plant' must be true or false, not 'yes'");
}

TEST(SpecValue, AddressesAndNetworks) {
  EXPECT_EQ(error_of([] { read("a: 10.1.2.300").find("a")->as_address("via"); }),
            "t.yaml:1:4: 'via' must be an IP address such as 192.168.16.53, not '10.1.2.300'");
  EXPECT_EQ(
      error_of([] { read("a: 10.1.2.3/8").find("a")->as_prefix("to"); }),
      "t.yaml:1:4: 'to' must be a network such as 10.0.0.0/8, not '10.1.2.3/8'; the network of 10.1.2.3/8 is "
      "10.0.0.0/8");
  EXPECT_EQ(error_of([] { read("a: 10.1.2.3/33").find("a")->as_interface_address("x"); }),
            "t.yaml:1:4: 'x' must be an address with its prefix length such as 192.168.16.10/24, not "
            "'10.1.2.3/33'");
}

TEST(SpecValue, NamesAreNoPaths) {
  const auto name = [](const std::string& text) {
    return error_of([&] { read("a: " + text).find("a")->as_name("name", 15); });
  };
  EXPECT_EQ(name("container-one"), "no error");
  EXPECT_EQ(name("../etc"), "t.yaml:1:4: 'name' must be a name, not a path: '../etc'");
  EXPECT_EQ(name("a/b"), "t.yaml:1:4: 'name' must be a name, not a path: 'a/b'");
  EXPECT_EQ(name(".."), "t.yaml:1:4: 'name' must be a name, not a path: '..'");
  EXPECT_EQ(name("\"\""), "t.yaml:1:4: 'name' must be a name, and is empty");
  EXPECT_EQ(name("sixteen-letters-"),
            "t.yaml:1:4: 'name' must be at most 15 characters long, and 'sixteen-letters-' has 16");
  EXPECT_EQ(name("a b"),
            "t.yaml:1:4: 'name' must be made of letters, digits, '.', '_' and '-' only, not 'a b'");
  EXPECT_EQ(name("-x"), "t.yaml:1:4: 'name' must not begin with a dash: '-x'");
}

TEST(SpecValue, UnknownKeysAreAnsweredWithTheNearest) {
  constexpr std::array<std::string_view, 3> keys{"bridges", "forward", "nft"};
  const Value v = read("bridges: 1\n  \nforwrd: 2\n");
  EXPECT_EQ(
      error_of([&] { v.allow_keys("native setup", keys); }),
      "t.yaml:3:1: unknown key 'forwrd' in native setup; did you mean 'forward'? (allowed: bridges, forward, "
      "nft)");
  const Value far = read("completely: 1\n");
  EXPECT_EQ(error_of([&] { far.allow_keys("native setup", keys); }),
            "t.yaml:1:1: unknown key 'completely' in native setup (allowed: bridges, forward, nft)");
  EXPECT_EQ(error_of([&] { v.require("nft", "native setup"); }),
            "t.yaml:1:1: native setup needs the key 'nft'");
}

TEST(SpecValue, WordsAreAnsweredWithTheNearest) {
  constexpr std::array<std::string_view, 2> words{"reject", "drop"};
  EXPECT_EQ(read("a: drop").find("a")->as_word("how", words), 1U);
  EXPECT_EQ(error_of([&] { read("a: rejct").find("a")->as_word("how", words); }),
            "t.yaml:1:4: unknown 'how' 'rejct'; did you mean 'reject'? (allowed: reject, drop)");
}

TEST(SpecNearest, FindsSlipsOfThePen) {
  constexpr std::array<std::string_view, 4> words{"forward", "masquerade", "dns", "diy"};
  EXPECT_EQ(nearest("forwrd", words), "forward");
  EXPECT_EQ(nearest("masqeurade", words), "masquerade");
  EXPECT_EQ(nearest("dyi", words), "diy");
  EXPECT_EQ(nearest("forward", words), "forward");
  EXPECT_EQ(nearest("something", words), "");
  EXPECT_EQ(nearest("x", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(100'000, 'f'), words), "");
}

}  // namespace
}  // namespace plumbline::spec
