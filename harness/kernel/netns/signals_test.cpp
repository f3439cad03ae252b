#include "harness/kernel/netns/signals.hpp"

#include <gtest/gtest.h>

namespace plumbline::kernel {
namespace {

TEST(HeldSignals, PutsEverythingBack) {
  sigset_t before{};
  sigset_t after{};
  ::sigprocmask(SIG_BLOCK, nullptr, &before);
  {
    const HeldSignals held;
    sigset_t during{};
    ::sigprocmask(SIG_BLOCK, nullptr, &during);
    EXPECT_EQ(sigismember(&during, SIGTERM), 1);
  }
  ::sigprocmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

TEST(HeldSignals, GivesThemOneByOne) {
  HeldSignals held;
  EXPECT_FALSE(held.next());
  ::raise(SIGTERM);
  ::raise(SIGHUP);
  const auto first = held.next();
  const auto second = held.next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->number + second->number, SIGTERM + SIGHUP);
  EXPECT_FALSE(first->from_terminal);
  EXPECT_FALSE(held.next());
}

TEST(HeldSignals, WhatIsIgnoredStaysSo) {
  ::signal(SIGHUP, SIG_IGN);
  {
    HeldSignals held;
    ::raise(SIGHUP);
    EXPECT_FALSE(held.next());
    EXPECT_EQ(sigismember(&held.held(), SIGHUP), 0);
  }
  ::signal(SIGHUP, SIG_DFL);
}

}  // namespace
}  // namespace plumbline::kernel
