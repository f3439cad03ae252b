// The JSON Schema of the spec and the code that reads it say the same of the same text.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "checks/kinds.hpp"
#include "harness/engine/change/kinds.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::checks {
namespace {

namespace json = boost::json;
using spec::Value;

constexpr const char* kProgram =
    "import json, sys\n"
    "from jsonschema import Draft202012Validator as V\n"
    "check = V(json.load(open(sys.argv[1], encoding='utf-8')))\n"
    "with open(sys.argv[3], 'w') as told:\n"
    "  for line in open(sys.argv[2], encoding='utf-8'):\n"
    "    told.write('yes\\n' if check.is_valid(json.loads(line)) else 'no\\n')\n";

std::string schema() {
  spec::KindSchemas checks, changes;
  for (const engine::CheckKind& kind : check_kinds()) checks.emplace_back(kind.name, kind.schema);
  for (const engine::ChangeKind& kind : engine::change_kinds()) changes.emplace_back(kind.name, kind.schema);
  return spec::json_schema(checks, changes);
}

/// A plain scalar is what YAML's core schema makes of it.
json::value scalar(const Value& value) {
  if (value.quoted) return json::string(value.text);
  if (value.text == "true" || value.text == "false") return value.text == "true";
  const bool digits = !value.text.empty() &&
                      std::ranges::all_of(value.text, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (digits) return std::stoull(value.text);
  return json::string(value.text);
}

json::value to_json(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return nullptr;
    case Value::Kind::scalar:
      return scalar(value);
    case Value::Kind::sequence: {
      json::array array;
      for (const Value& item : value.items) array.push_back(to_json(item));
      return array;
    }
    case Value::Kind::mapping: {
      json::object object;
      for (const Value::Entry& entry : value.entries) object[entry.key] = to_json(entry.value);
      return object;
    }
  }
  return nullptr;
}

class SpecSchemaAgrees : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null") == 0)
      return;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "python3-jsonschema is not installed";
    GTEST_SKIP() << "python3-jsonschema is not installed";
  }

  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = folder_.directory() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  /// Of each text whether the schema allows it.
  std::vector<bool> allowed(const std::vector<std::string>& texts) const {
    std::string lines;
    for (const std::string& text : texts)
      lines += json::serialize(to_json(spec::parse_yaml(text, "a.yaml"))) + "\n";
    const std::string told = folder_.directory() + "/told";
    const std::string command = "python3 " + write("validate.py", kProgram) + " " +
                                write("schema.json", schema()) + " " + write("lines", lines) + " " + told;
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::vector<bool> answers;
    std::ifstream file(told);
    for (std::string line; std::getline(file, line);) answers.push_back(line == "yes");
    EXPECT_EQ(answers.size(), texts.size());
    answers.resize(texts.size());
    return answers;
  }

  /// What the code says against it. Absent: nothing.
  std::optional<std::string> refusal(const std::string& text) const {
    try {
      const auto options = engine::load_options(std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures");
      engine::list_checks(spec::load_specs(write("t.yaml", text), options), {});
    } catch (const spec::SpecError& error) {
      return error.what();
    }
    return std::nullopt;
  }

  engine::testing::Scenario folder_;
};

constexpr const char* kNative =
    "native: {bridges: {bridge0: {address: [192.168.99.1/24, \"fd00:99::1/64\"], containers: "
    "{container-one: [192.168.99.11, \"fd00:99::11\"], container-two: [192.168.99.12, \"fd00:99::12\"]}}}}";

std::string with_setup(const std::string& setup, const std::string& item) {
  return "version: 1\nname: t\nworld: diy\nsetup: {" + setup + "}\nchecks:\n  - " + item + "\n";
}

std::string with(const std::string& item) {
  return with_setup(kNative, item);
}

// Each is refused for what a schema can tell; what takes a look at the world (unknown nodes) is not here.
const std::vector<std::string> kRefused{
    "reach: {from: host, to: container-one, size: 15}",
    "reach: {from: host, to: container-one, size: 65001}",
    "reach: {from: host, to: container-one, size: big}",
    "reach: {from: host, to: container-one, with: tcp/80, size: 1400}",
    "reach: {from: host, to: container-one, with: [ping, tcp/80], size: 1400}",
    "reach: {from: host, to: container-one, times: 0}",
    "reach: {from: host, to: container-one, times: 1001}",
    "then: {service: {port: 80}}",
    "then: {service: {does: stop}}",
    "then: {service: {port: 0, does: stop}}",
    "then: {service: {port: 80, does: nothing}}",
    "then: {service: {port: 80, does: stop, over: sctp}}",
    "then: {service: {port: 80, does: stop, listen: 127.0.0.1}}",
    "then: {service: {port: 80, does: http, over: udp}}",
    "then: {service: {port: 80, does: reset, delay: 1s}}",
    "then: {service: {port: 80, does: ignore, delay: 1s}}",
    "then: {service: {port: 80, does: http, source: 192.168.16.10}}",
    "then: {service: {port: 53, does: dns, over: tcp, source-port: 54}}",
    "then: {service: {port: 53, does: dns, over: tcp, truncated: true}}",
    "then: {service: {port: 53, does: dns, rcode: NOERROR}}",
    "then: {service: {port: 53, does: dns, delay: 5}}",
    "then: {service: {port: 53, does: dns, names: {a.test: there}}}",
    "then: {service: {port: 7, does: echo, rcode: REFUSED}}",
    "then: {service: {port: 53, does: dns, question: \"\"}}",
    "then: {service: {port: 80, does: full, over: udp}}",
    "then: {resolvers: {in: container-one}}",
    "then: {resolvers: {in: container-one, are: here}}",
    "then: {set-link: {in: host, dev: bridge0}}",
    "then: {add-address: {dev: bridge0, address: 192.168.99.7}}",
    "then: {delete-address: {dev: bridge0, address: \"fd00:99::7\"}}",
    "then: {delete-link: {}}",
    "then: {sysctl: {set: {}}}",
    "then: {sysctl: {set: {kernel.panic: 1}}}",
    "then: {nft: {}}",
    "then: {add-route: {dev: bridge0}}",
    "then: {run: {shell: \"true\", env: {A: [b, c]}}}",
    "run: {shell: \"true\", env: {A: [b, c]}}",
    "run: {shell: \"true\", env: {PLUMBLINE_A: b}}",
    "run: {shell: \"true\", env: {9A: b}}",
    "run: {shell: \"true\", run: a.sh}",
    "run: {arguments: a}",
    "run: {shell: \"true\", fails: \"\"}",
    "run: {shell: \"true\", timeout: 0s}",
    "run: {shell: \"true\", timeout: 0.5ms}",
    "run: {shell: \"true\", timeout: 0.0005s}",
    "run: {shell: \"true\", timeout: 9999s}",
    "run: {shell: \"true\", timeout: 3600.1s}",
    "run: {shell: \"true\", timeout: 3600001ms}",
    "run: {shell: \"true\", timeout: 5}",
    "run: {shell: \"true\", timeout: 5m}",
    "logged: {from: container-one, to: internet, prefix: x, never: true, verdict: drop}",
    "logged: {from: container-one, to: internet, prefix: x, iif: sixteen-letters-}",
    "logged: {from: container-one, to: internet, prefix: x, oif: a/b}",
    "logged: {from: container-one, to: internet, prefix: x, in: ../host}",
    "logged: {from: container-one, to: internet}",
    "hooks: {from: container-one, to: internet, expect: [], in: \"\"}",
    "hooks: {from: container-one, to: internet, expect: [sideways]}",
    "hooks: {from: container-one, to: internet}",
    "deny: {from: container-one, to: 10.1.2.3, guard: \"\"}",
    "deny: {from: container-one, to: 10.1.2.3, control: a/b}",
    "deny: {from: container-one, to: 10.1.2.3, how: softly}",
    "route: {to: 203.0.113.80, expect: {}}",
    "route: {to: 203.0.113.80, iif: bridge0, expect: {dev: ens4}}",
    "route: {to: 203.0.113.80, expect: {dev: ens4, error: network unreachable}}",
    "route: {to: 203.0.113.80, expect: {error: network gone}}",
    "route: {to: 203.0.113.80, expect: {type: blackhole, dev: ens4}}",
    "route: {to: 203.0.113.80, expect: {table: mine}}",
    "route: {to: 203.0.113.80, expect: {via: nowhere}}",
    "route: {to: 203.0.113.80, mark: 0, expect: {dev: ens4}}",
    "isolated: {from: host, to: container-one, error: network gone}",
    "isolated: {from: host, to: container-one, at: here}",
    "link: {dev: veth1}",
    "link: {state: up}",
    "link: {dev: veth1, state: sideways}",
    "link: {dev: veth1, peer: container-one}",
    "link: {dev: veth1, peer: \"container-one:a:b\"}",
    "link: {absent: veth1, state: up}",
    "link: {only: lo, dev: lo}",
    "link: {dev: lo, state: up, only: lo}",
    "link: {dev: veth1, mac: nonsense}",
    "link: {dev: veth1, addresses: here}",
    "silent: {dev: ens4, filter: \"\", control: \"host:bridge0\"}",
    "silent: {dev: ens4, filter: icmp}",
    "silent: {dev: ens4, filter: icmp, control: host}",
    "learned: {from: container-one, to: container-two}",
    "learned: {from: container-one, to: container-two, bridge: bridge0, in: a/b}",
    "reach: {from: container-one}",
    "reach: {from: [], to: host}",
    "reach: {from: container-one, to: host, with: sctp/80}",
    "reach: {from: container-one, to: host, family: ipv5}",
};

const std::vector<std::string> kTaken{
    "reach: {from: host, to: container-one, with: [ping, tcp/80], times: 20}",
    "then: {service: {in: lan-resolver, port: 53, over: tcp, does: stop}}",
    "then: {service: {in: internet, port: 80, does: reset, over: tcp, listen: \"::1\"}}",
    "then: {service: {in: internet, port: 7, does: echo, delay: 1.5s, source: 203.0.113.80, source-port: 8}}",
    "then: {service: {port: 53, does: dns, rcode: SERVFAIL, truncated: true, names: {a.test: [\"::2\"], "
    "b.test: []}}}",
    "then: {service: {port: 9, does: ignore}}",
    "then: {service: {port: 80, does: full}}",
    "then: {service: {port: 53, does: dns, over: udp, question: other.example.test}}",
    "then: {resolvers: {in: container-one, are: []}}",
    "then: {resolvers: {are: [127.0.0.53, \"::1\"]}}",
    "then: {set-link: {dev: bridge0, up: false}}",
    "then: [{set-link: {in: host, dev: bridge0, mtu: 1400}}, {set-link: {dev: veth1, master: none}}]",
    "then: {add-address: {dev: bridge0, address: 192.168.99.7/24}}",
    "then: {delete-address: {dev: bridge0, address: \"fd00:99::7/64\"}}",
    "then: {sysctl: {set: {net.ipv4.ip_forward: 1}}}",
    "then: {add-route: {to: default, via: 192.168.16.1, table: 88}}",
    "then: {run: {shell: \"false\", fails: no, env: {A: b, C: 1}}}",
    "run: {shell: \"true\", arguments: [a, 1], timeout: 60s}",
    "run: {shell: \"true\", timeout: 1ms}",
    "run: {shell: \"true\", timeout: 0.001s}",
    "run: {shell: \"true\", timeout: .5s}",
    "run: {shell: \"true\", timeout: 1.5s}",
    "run: {shell: \"true\", timeout: 3599.9s}",
    "run: {shell: \"true\", timeout: 3600s}",
    "run: {shell: \"true\", timeout: 3600000ms}",
    "logged: {from: container-one, to: host, prefix: x, iif: bridge0, oif: ens4, verdict: drop, in: host}",
    "logged: {from: container-one, to: internet, prefix: \"[F] \", never: false, verdict: drop}",
    "logged: {from: container-one, to: internet, prefix: \"[F] \", never: true}",
    "hooks: {from: container-one, to: internet, expect: [], reply: [], in: host}",
    "deny: {from: container-one, to: 10.1.2.3, guard: host, control: lan-peer, how: drop}",
    "route: {to: 203.0.113.80, iif: bridge0, from: 192.168.99.11, expect: {dev: ens4, via: 192.168.16.1}}",
    "route: {to: 203.0.113.80, expect: {error: network unreachable}}",
    "route: {to: 203.0.113.80, expect: {error: Network is unreachable}}",
    "route: {to: 203.0.113.80, expect: {type: blackhole}}",
    "route: {to: 203.0.113.80, expect: {type: unicast, via: none, table: 88}}",
    "isolated: {from: host, to: container-one, error: permission denied, at: 127.0.0.1}",
    "link: {dev: veth1, peer: \"container-one:eth0\", state: up, mac: \"02:00:00:00:00:0a\", addresses: []}",
    "silent: {dev: ens4, filter: icmp, control: \"host:bridge0\"}",
    "learned: {from: container-one, to: container-two, bridge: bridge0, in: host}",
};

TEST_F(SpecSchemaAgrees, OnChecksAndChanges) {
  std::vector<std::string> texts;
  for (const std::string& item : kRefused) texts.push_back(with(item));
  for (const std::string& item : kTaken) texts.push_back(with(item));
  const std::vector<bool> answers = allowed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto said = refusal(texts[i]);
    const bool refused = i < kRefused.size();
    EXPECT_EQ(said.has_value(), refused) << texts[i] << said.value_or("");
    EXPECT_EQ(answers[i], !refused) << "the schema says otherwise: " << texts[i];
  }
}

TEST_F(SpecSchemaAgrees, OnSetups) {
  const std::vector<std::pair<std::string, bool>> setups{
      {"script: {shell: \"true\", env: {A: [b, c]}, containers: {container-one: 192.168.99.11}}", true},
      {"script: {shell: \"true\", env: {A: [b, b]}, containers: {container-one: 192.168.99.11}}", false},
      {"script: {shell: \"true\", env: {A: []}, containers: {container-one: 192.168.99.11}}", false},
      {"script: {shell: \"true\", timeout: 9999s, containers: {container-one: 192.168.99.11}}", false},
      {"native: {bridges: {b: {address: 192.168.99.1/24, containers: {container-one: 192.168.99.11}}}}",
       true},
      {"native: {bridges: {b: {address: 192.168.99.1, containers: {container-one: 192.168.99.11}}}}", false},
      {"native: {containers: {container-one: {veth: v, addresses: 192.168.99.11}}}", false},
      {"native: {containers: {container-one: {veth: v, addresses: 192.168.99.11/24}}}", true}};
  std::vector<std::string> texts;
  for (const auto& [setup, good] : setups)
    texts.push_back(with_setup(setup, "reach: {from: container-one, to: 127.0.0.1}"));
  const std::vector<bool> answers = allowed(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto said = refusal(texts[i]);
    EXPECT_EQ(!said.has_value(), setups[i].second) << texts[i] << said.value_or("");
    EXPECT_EQ(answers[i], setups[i].second) << "the schema says otherwise: " << texts[i];
  }
}

TEST_F(SpecSchemaAgrees, OnEveryScenarioThatShips) {
  std::vector<std::string> files, texts;
  for (const auto& each :
       std::filesystem::recursive_directory_iterator(std::string(PLUMBLINE_SOURCE_DIR) + "/scenarios")) {
    if (each.path().extension() == ".yaml") files.push_back(each.path().string());
  }
  ASSERT_GT(files.size(), 10U);
  for (const std::string& file : files) texts.push_back(engine::testing::read_file(file));
  const std::vector<bool> answers = allowed(texts);
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_TRUE(answers[i]) << files[i];
}

/// A world of routers only: nobody is the guard unless it is named.
TEST(WithoutAHost, EveryKindThatMeansANodeAsksForItsName) {
  network::Topology routers;
  for (const char* name : {"a", "b"}) {
    network::Node& node = routers.nodes.emplace_back();
    node.name = name;
    node.interfaces.emplace_back().addresses.push_back(
        *InterfaceAddress::parse(node.name == "a" ? "10.0.0.1/24" : "10.0.0.2/24"));
  }
  const std::vector<std::pair<std::string, std::string>> items{
      {"deny", "guard"}, {"hooks", "in"},  {"logged", "in"}, {"route", "in"},
      {"link", "in"},    {"silent", "in"}, {"learned", "in"}};
  const std::map<std::string, std::string> arguments{
      {"deny", "{from: a, to: b}"},
      {"hooks", "{from: a, to: b, expect: []}"},
      {"logged", "{from: a, to: b, prefix: x}"},
      {"route", "{to: b, expect: {dev: eth0}}"},
      {"link", "{absent: eth1}"},
      {"silent", "{dev: eth0, filter: icmp, control: \"b:eth0\"}"},
      {"learned", "{from: a, to: b, bridge: br0}"}};
  for (const auto& [kind, key] : items) {
    const auto found = std::ranges::find(check_kinds(), kind, &engine::CheckKind::name);
    ASSERT_NE(found, check_kinds().end());
    spec::CheckItem item;
    item.kind = kind;
    item.arguments = spec::parse_yaml(arguments.at(kind), "a.yaml");
    item.mark = item.arguments.mark;
    try {
      found->parse(item, routers);
      ADD_FAILURE() << kind << " is taken";
    } catch (const spec::SpecError& error) {
      EXPECT_EQ(std::string(error.what()), "a.yaml:1:1: '" + key + "' is needed where the world has no host")
          << kind;
    }
  }
}

}  // namespace
}  // namespace plumbline::checks
