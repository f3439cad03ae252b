#include "harness/network/service/request_log.hpp"

#include <gtest/gtest.h>

namespace plumbline::network::detail {
namespace {

ServiceRequest numbered(std::size_t number) {
  ServiceRequest request;
  request.text = std::to_string(number);
  return request;
}

TEST(RequestLog, KeepsTheNewestWithinItsLimit) {
  RequestLog log;
  std::uint64_t last = 0;
  const std::size_t count = RequestLog::kLimit + 10;
  for (std::size_t i = 0; i < count; ++i) last = log.add(numbered(i));
  EXPECT_LE(log.all().size(), RequestLog::kLimit);
  EXPECT_GE(log.all().size(), RequestLog::kLimit / 2);
  EXPECT_EQ(log.all().back().text, std::to_string(count - 1));
  log.append_text(last, "!");
  EXPECT_EQ(log.all().back().text, std::to_string(count - 1) + "!");
  log.append_text(0, "gone");  // dropped long ago: nothing to add to
  EXPECT_EQ(log.all().front().text.find("gone"), std::string::npos);
}

TEST(RequestLog, BoundsTexts) {
  RequestLog log;
  ServiceRequest request;
  request.text = std::string(10'000, 'x');
  const auto entry = log.add(request);
  log.append_text(entry, "more");
  EXPECT_EQ(log.all().front().text.size(), RequestLog::kTextLimit);
}

}  // namespace
}  // namespace plumbline::network::detail
