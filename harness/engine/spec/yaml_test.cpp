#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/engine/spec/testing/files.hpp"
#include "harness/engine/spec/value.hpp"

namespace plumbline::spec {
namespace {

std::string parse_error(const std::string& text) {
  try {
    parse_yaml(text, "t.yaml");
  } catch (const SpecError& error) {
    return error.what();
  }
  return "no error";
}

std::string load_error(const std::string& path) {
  try {
    load_yaml(path);
  } catch (const SpecError& error) {
    return error.what();
  }
  return "no error";
}

class SpecYamlFile : public testing_support::FolderTest {};

TEST(SpecYaml, EveryPartKnowsItsPlace) {
  const Value v = parse_yaml("a: 1\nlist:\n  - x\n  - {k: \"2\"}\nnft: |\n  one\n  \ttwo\n", "t.yaml");
  ASSERT_EQ(v.entries.size(), 3U);
  EXPECT_EQ(v.mark.to_string(), "t.yaml:1:1");
  EXPECT_EQ(v.entries[1].mark.to_string(), "t.yaml:2:1");
  const Value& item = v.find("list")->items.at(1);
  EXPECT_EQ(item.mark.to_string(), "t.yaml:4:5");
  EXPECT_TRUE(item.find("k")->quoted);
  EXPECT_FALSE(v.find("a")->quoted);
  EXPECT_EQ(v.find("nft")->text, "one\n\ttwo\n");
}

TEST(SpecYaml, AByteOrderMarkAndCarriageReturnsDoNoHarm) {
  const Value v = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n",
      "t.yaml");
  EXPECT_EQ(v.find("a")->text, "1");
  EXPECT_EQ(v.find("b")->text, "2");
}

TEST(SpecYaml, AliasesAreExpanded) {
  const Value v = parse_yaml("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n", "t.yaml");
  EXPECT_EQ(v.find("b")->find("k")->items.size(), 2U);
  EXPECT_EQ(v.find("c")->items.at(1).find("k")->items.at(1).text, "2");
}

TEST(SpecYaml, EmptyFiles) {
  const std::string expected = "t.yaml:1:1: the file is empty; expected YAML that begins with 'version: 1'";
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "~\n", "   "})
    EXPECT_EQ(parse_error(text), expected) << text;
}

TEST(SpecYaml, TabsAsIndentation) {
  const std::string tail = ": a tab stands where spaces must indent: replace it by spaces";
  EXPECT_EQ(parse_error("a:\n\tb: 2\n"), "t.yaml:2:1" + tail);
  EXPECT_EQ(parse_error("a: 1\nb:\n  \tc: 2\n"), "t.yaml:3:3" + tail);
  EXPECT_EQ(parse_error("a: [\n\t1]\n"), "t.yaml:2:1" + tail);
  EXPECT_EQ(parse_error("a: |\n\tx\n"), "t.yaml:2:1" + tail);
  EXPECT_EQ(parse_error("nft: |\n  table inet x {\n  \tchain y\n  }\nb:\n\tc: 1\n"), "t.yaml:6:1" + tail);
  EXPECT_EQ(parse_error("a:\t1\n"), "no error");
}

TEST(SpecYaml, KeysStandOnce) {
  EXPECT_EQ(parse_error("a: 1\nb: 2\na: 3\n"),
            "t.yaml:3:1: the key 'a' stands twice; the first is at line 1");
  EXPECT_EQ(parse_error("x: {a: 1,\n  a: 2}\n"),
            "t.yaml:2:3: the key 'a' stands twice; the first is at line 1");
  EXPECT_EQ(parse_error("? [x]\n: 1\n"), "t.yaml:1:3: a key must be text");
}

TEST(SpecYaml, OneDocument) {
  EXPECT_EQ(parse_error("a: 1\n---\nb: 2\n"), "t.yaml:2:1: a second document begins here; a file holds one");
  EXPECT_EQ(parse_error("---\na: 1\n...\n"), "no error");
}

TEST(SpecYaml, WhatIsNotYaml) {
  EXPECT_EQ(parse_error("a: [1\nb: 2\n").find("t.yaml:2:"), 0U) << parse_error("a: [1\nb: 2\n");
  EXPECT_NE(parse_error("a: [1\nb: 2\n").find("expected ',' or ']'"), std::string::npos);
  const std::string open_quote = "the quote that opens here is never closed";
  EXPECT_EQ(parse_error("a: \"x\nb: 2\n"), "t.yaml:1:4: " + open_quote);
  EXPECT_EQ(parse_error("\u00e9\u00e9: \"\u00e9\"\na: 'x''\nb: 2\n"), "t.yaml:2:4: " + open_quote);
  EXPECT_EQ(parse_error("a: &anchor \"x\\\"\n"), "t.yaml:1:4: " + open_quote);
  EXPECT_EQ(parse_error("a: 'it''s'\nb: \"\\\"\"\nc: &d 'x'\ne: |\n  \"\n"), "no error");
  EXPECT_EQ(parse_error("a: \"x").find("t.yaml:1:"), 0U);
  EXPECT_EQ(parse_error("a: @x\n"), "t.yaml:1:4: a value cannot begin with this character: quote the text");
  EXPECT_EQ(parse_error("a: *x\n"), "t.yaml:1:4: this alias names no anchor (&\u2026) above it");
  EXPECT_EQ(parse_error("a: !thing 1\n"),
            "t.yaml:1:4: the tag '!thing' is not understood here: leave it out");
  EXPECT_EQ(parse_error("a: b: c\n").find("t.yaml:1:5: a ':' is not expected here"), 0U);
}

TEST(SpecYaml, OnlyText) {
  EXPECT_EQ(parse_error("a: 1\nb: \xFF\n"),
            "t.yaml:2:4: byte 0xff is not UTF-8 text: save the file as UTF-8");
  EXPECT_EQ(parse_error("a: \xC0\xAF\n"), "t.yaml:1:4: byte 0xc0 is not UTF-8 text: save the file as UTF-8");
  EXPECT_EQ(parse_error("a: \xED\xA0\x80\n"),
            "t.yaml:1:4: byte 0xed is not UTF-8 text: save the file as UTF-8");
  EXPECT_EQ(parse_error("a: caf\xC3"), "t.yaml:1:7: byte 0xc3 is not UTF-8 text: save the file as UTF-8");
  EXPECT_EQ(parse_error(std::string("a: 1\nb: \0x\n", 11)),
            "t.yaml:2:4: the control character 0x00 is not text");
  EXPECT_EQ(parse_error("a: 1\n\x04\nb: 2\n"), "t.yaml:2:1: the control character 0x04 is not text");
  EXPECT_EQ(parse_error("a: caf\xC3\xA9 \xE2\x80\xA6 \xF0\x9F\x99\x82\n"), "no error");
}

TEST(SpecYaml, DepthIsBounded) {
  const std::string deep = "t.yaml:1:65: lists and mappings are nested more than 64 levels deep";
  EXPECT_EQ(parse_error(std::string(65, '[') + std::string(65, ']')), deep);
  EXPECT_EQ(parse_error(std::string(64, '[') + std::string(64, ']')), "no error");
  EXPECT_NE(parse_error(std::string(100'000, '[')).find("nested more than 64 levels deep"),
            std::string::npos);
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_EQ(parse_error(chain), "t.yaml:64:12: lists and mappings are nested more than 64 levels deep");
}

TEST(SpecYaml, AnAliasBombIsRefusedEarly) {
  std::string bomb = "version: 1\nl0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*l" + std::to_string(i - 1);
    bomb += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  const std::string error = parse_error(bomb);
  EXPECT_EQ(error.find("t.yaml:6:"), 0U) << error;
  EXPECT_NE(error.find("there are too many values: at most 200000, aliases expanded"), std::string::npos)
      << error;
}

TEST(SpecYaml, AnAliasBombOfTextIsRefusedEarly) {
  std::string bomb = "a: &a \"" + std::string(1U << 20U, 'x') + "\"\nb: [*a";
  for (int i = 0; i < 1000; ++i) bomb += ", *a";
  const std::string error = parse_error(bomb + "]\n");
  EXPECT_EQ(error.find("t.yaml:2:"), 0U) << error;
  EXPECT_NE(error.find("there is too much text: at most 16 MiB, aliases expanded"), std::string::npos)
      << error;
}

TEST(SpecYaml, AnAliasInsideItsOwnAnchor) {
  EXPECT_EQ(parse_error("a: &x [*x]\n"), "t.yaml:1:8: an alias stands inside its own anchor");
}

TEST(SpecYaml, TooManyValues) {
  std::string text = "a: [";
  for (int i = 0; i < 200'000; ++i) text += "1,";
  EXPECT_NE(parse_error(text + "]\n").find("there are too many values"), std::string::npos);
}

TEST_F(SpecYamlFile, MissingUnreadableOrNoFile) {
  EXPECT_EQ(load_error(folder_ + "/none.yaml"),
            folder_ + "/none.yaml:1:1: the file cannot be read: No such file or directory");
  EXPECT_EQ(load_error(folder_), folder_ + ":1:1: this is a directory; a YAML file is expected");
  const std::string locked = write("locked.yaml", "a: 1\n");
  ::chmod(locked.c_str(), 0);
  if (::access(locked.c_str(), R_OK) != 0) {  // root may read it all the same
    EXPECT_EQ(load_error(locked), locked + ":1:1: the file cannot be read: Permission denied");
  }
}

TEST_F(SpecYamlFile, TenMegabytesAreTooLarge) {
  const std::string path = write("big.yaml", std::string(10U << 20U, '#'));
  EXPECT_EQ(load_error(path),
            path + ":1:1: the file is too large: at most 4 MiB are read, and it has 10.0 MiB");
  EXPECT_EQ(parse_error(std::string(10U << 20U, '#')),
            "t.yaml:1:1: the file is too large: at most 4 MiB are read, and it has 10.0 MiB");
  EXPECT_NE(load_error("/dev/zero").find("/dev/zero:1:1: the file is too large"), std::string::npos);
}

TEST_F(SpecYamlFile, EmptyFile) {
  const std::string path = write("empty.yaml", "");
  EXPECT_EQ(load_error(path), path + ":1:1: the file is empty; expected YAML that begins with 'version: 1'");
}

}  // namespace
}  // namespace plumbline::spec
