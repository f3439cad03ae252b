#include "harness/base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace plumbline {
namespace {

TEST(Error, SaysWhatWasAttemptedAndTheKernelsOwnText) {
  const Error error = Error::from_errno(EBUSY, "adding veth1 to bridge0", "Device is already a port");
  EXPECT_STREQ(error.what(), "adding veth1 to bridge0: Device is already a port (Device or resource busy)");
  EXPECT_EQ(error.error_number(), EBUSY);
}

TEST(Error, GathersContextOnTheWayUp) {
  const Error error = Error::from_errno(EPERM, "creating a network namespace")
                          .with_kind(ErrorKind::environment)
                          .with_remedy("allow user namespaces")
                          .within("node host");
  EXPECT_STREQ(error.what(), "node host: creating a network namespace: Operation not permitted");
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.remedy(), "allow user namespaces");
}

TEST(Error, AMachineThatHasRunOutSaysSoWithTheRemedyWhereverItHappens) {
  const Error files = Error::from_errno(EMFILE, "opening a socket").within("node host");
  EXPECT_EQ(files.kind(), ErrorKind::environment);
  EXPECT_NE(files.remedy().find("ulimit -n"), std::string::npos);
  for (const int number : {ENFILE, ENOMEM, ENOBUFS}) {
    EXPECT_EQ(Error::from_errno(number, "opening").kind(), ErrorKind::environment) << number;
    EXPECT_FALSE(Error::from_errno(number, "opening").remedy().empty()) << number;
  }
  EXPECT_EQ(Error::from_errno(EBUSY, "opening").kind(), ErrorKind::internal);
  EXPECT_TRUE(Error::from_errno(EBUSY, "opening").remedy().empty());
}

}  // namespace
}  // namespace plumbline
