#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "harness/engine/spec/spec.hpp"

namespace plumbline::spec {
namespace {

namespace json = boost::json;

/// Every "$ref" below `value`.
void collect_references(const json::value& value, std::vector<std::string>& references) {
  if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) collect_references(item, references);
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  for (const auto& [key, part] : *object) {
    if (key == "$ref") references.emplace_back(part.as_string());
    collect_references(part, references);
  }
}

TEST(SpecSchema, HoldsTheKindsOfChecksAndResolvesEveryReference) {
  const std::string text =
      json_schema({{"reach", R"({"properties": {"from": {"$ref": "#/$defs/nodes"}}})"},
                   {"deny", R"({"properties": {"with": {"$ref": "#/$defs/services"}}})"}},
                  {{"run", R"({"$ref": "#/$defs/program"})"}, {"nft", "{}"}});
  const json::value schema = json::parse(text);
  EXPECT_EQ(schema.at("$schema").as_string(), "https://json-schema.org/draft/2020-12/schema");
  const json::object& kinds = schema.at("properties").at("checks").at("items").at("properties").as_object();
  EXPECT_EQ(kinds.size(), 4U) << "two checks, then, and run in its short form";
  EXPECT_TRUE(kinds.contains("deny"));
  EXPECT_TRUE(schema.at("$defs").at("change").at("properties").as_object().contains("nft"));
  std::vector<std::string> references;
  collect_references(schema, references);
  EXPECT_GT(references.size(), 20U);
  for (const std::string& reference : references) {
    ASSERT_EQ(reference.find("#/$defs/"), 0U) << reference;
    EXPECT_TRUE(schema.at("$defs").as_object().contains(reference.substr(8))) << reference;
  }
  for (const char* shared : {"nodes", "targets", "services"}) {  // the words that kinds' fragments lean on
    EXPECT_TRUE(schema.at("$defs").as_object().contains(shared)) << shared;
  }
}

}  // namespace
}  // namespace plumbline::spec
