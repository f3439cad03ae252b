// Nodes of a live host found by name, by process and by container, in a sandbox of the test's own.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/network/discovery/locate.hpp"
#include "harness/network/discovery/testing/apart.hpp"
#include "harness/network/discovery/testing/fake_engine.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using Kind = Locator::Kind;
using testing::Apart;
using testing::await;
using ::testing::ElementsAre;
using testing::FakeEngine;
using ::testing::HasSubstr;
using testing::Named;

class Locate : public ::testing::Test {
 protected:
  Located find(Locator locator) {
    EngineSockets sockets{docker_.socket(), "/run/no-podman.sock"};
    return await(loop_, locate(std::move(locator), std::move(sockets)));
  }

  Error failure(Locator locator) {
    try {
      find(std::move(locator));
    } catch (const Error& error) {
      return error;
    }
    throw std::logic_error("it was found");
  }

  boost::asio::io_context loop_{1};
  FakeEngine docker_{loop_};
};

TEST_F(Locate, ItselfIsItsOwnNamespace) {
  const Located self = find({});
  EXPECT_EQ(self.netns.inode(), kernel::Netns::current().inode());
  EXPECT_EQ(self.pid, 0);
}

TEST_F(Locate, ANameIsItsNamespace) {
  const Named web("web");
  EXPECT_EQ(find({Kind::netns, "web"}).netns.inode(), web.netns().inode());
  EXPECT_EQ(find({Kind::netns, web.path()}).netns.inode(), web.netns().inode());
}

TEST_F(Locate, AWrongNameIsToldWithTheNearest) {
  const Named web("webserver");
  const Error error = failure({Kind::netns, "websevrer"});
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_STREQ(error.what(),
               "there is no network namespace 'websevrer' in /run/netns; did you mean 'webserver'?");
  EXPECT_THAT(error.remedy(), HasSubstr("ip netns list"));
}

TEST_F(Locate, WhatIsNoNamespaceIsRefused) {
  std::ofstream("/run/netns/plain") << "text";
  EXPECT_THAT(failure({Kind::netns, "plain"}).what(), HasSubstr("no network namespace 'plain'"));
  fs::remove("/run/netns/plain");
  for (const char* name : {"", ".", "..", "../netns/web", "a/b"}) {
    EXPECT_EQ(failure({Kind::netns, name}).kind(), ErrorKind::usage) << name;
  }
  EXPECT_THAT(failure({Kind::netns, "/etc/passwd"}).what(), HasSubstr("/etc/passwd is no network namespace"));
  EXPECT_THAT(failure({Kind::netns, "/proc/self/ns/mnt"}).what(), HasSubstr("something else"));
}

TEST_F(Locate, AProcessIsItsNamespace) {
  Apart process;
  const pid_t pid = process.pid();
  const Located found = find({Kind::pid, std::to_string(pid)});
  EXPECT_NE(found.netns.inode(), kernel::Netns::current().inode());
  EXPECT_EQ(found.netns.inode(), process.netns().inode());
  EXPECT_EQ(found.pid, pid);
  EXPECT_EQ(found.resolvers_unread, "");
  process.end();
  EXPECT_EQ(failure({Kind::pid, std::to_string(pid)}).kind(), ErrorKind::usage);
  for (const char* text : {"", "0", "-1", "12x", "99999999999"}) {
    EXPECT_EQ(failure({Kind::pid, text}).kind(), ErrorKind::usage) << text;
  }
}

std::string inspected(pid_t pid, const std::string& sandbox) {
  return fmt::format(
      R"({{"State": {{"Running": true, "Pid": {}}}, "NetworkSettings": {{"SandboxKey": "{}"}}}})", pid,
      sandbox);
}

TEST_F(Locate, AContainerIsItsFirstProcess) {
  const Apart process;
  docker_.says("/containers/web/json", inspected(process.pid(), ""));
  const Located found = find({Kind::docker, "web"});
  EXPECT_EQ(found.netns.inode(), process.netns().inode());
  EXPECT_EQ(found.pid, process.pid());
  EXPECT_THAT(docker_.asked(), ElementsAre("/containers/web/json"));
}

TEST_F(Locate, AnEngineThatCountsProcessesOtherwiseIsNoticed) {
  const Apart process;
  const Named other("other");
  docker_.says("/containers/web/json", inspected(process.pid(), other.path()));
  const Error error = failure({Kind::docker, "web"});
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("lives in another network than /run/netns/other"));
  EXPECT_THAT(error.remedy(), HasSubstr("--pid=host"));
}

TEST_F(Locate, AnUnknownContainerIsToldWithTheNearest) {
  docker_.says("/containers/json?all=1", R"([{"Names": ["/database", 7]}, {}, 9, {"Names": ["/web"]}])");
  const Error error = failure({Kind::docker, "databse"});
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_STREQ(error.what(), "docker knows no container 'databse'; did you mean 'database'?");
  EXPECT_EQ(error.remedy(), "docker ps -a lists those that there are");
}

TEST_F(Locate, AContainerThatDoesNotRunIsNoNode) {
  docker_.says("/containers/web/json", R"({"State": {"Running": false, "Pid": 0, "Status": "exited"}})");
  const Error error = failure({Kind::docker, "web"});
  EXPECT_STREQ(error.what(), "docker container 'web' does not run: it is exited");
  EXPECT_EQ(error.remedy(), "docker start web");
}

TEST_F(Locate, ARefusalNamesTheSocket) {
  docker_.says("/containers/web/json", R"({"message": "access denied by policy"})", 403);
  EXPECT_THAT(failure({Kind::docker, "web"}).what(), HasSubstr("docker at " + docker_.socket() + ": GET "));
}

TEST_F(Locate, OddAnswersAreErrors) {
  for (const char* json : {"null", "[]", "7", R"({"State": 3})", R"({"State": {"Running": true, "Pid": -4}})",
                           R"({"State": {"Running": true, "Pid": 99999999999}})",
                           R"({"State": {"Running": "yes", "Pid": "1"}})"}) {
    docker_.says("/containers/web/json", json);
    EXPECT_THAT(failure({Kind::docker, "web"}).what(), HasSubstr("does not run")) << json;
  }
  docker_.answers("/containers/web/json", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"State\"");
  EXPECT_THAT(failure({Kind::docker, "web"}).what(), HasSubstr("/containers/web/json"));
  EXPECT_THAT(failure({Kind::podman, "web"}).what(), HasSubstr("there is no such socket"));
}

TEST_F(Locate, ANameIsNoPartOfARequest) {
  for (const char* name : {"", "a/b", "../x", "a?b", "a b", "a\r\nX: y", ".hidden"}) {
    EXPECT_EQ(failure({Kind::docker, name}).kind(), ErrorKind::usage) << name;
  }
  EXPECT_THAT(docker_.asked(), ElementsAre());
}

}  // namespace
}  // namespace plumbline::network
