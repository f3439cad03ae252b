#include "harness/engine/report/packed.hpp"

#include <gtest/gtest.h>

#include <boost/beast/zlib.hpp>
#include <string>

namespace plumbline::engine {
namespace {

std::string from_base64(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned value = 0, bits = 0;
  for (const char letter : text) {
    if (letter == '=') break;
    value = (value << 6U | static_cast<unsigned>(letters.find(letter))) & 0xFFFFFFU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(value >> bits & 0xFFU);
  }
  return out;
}

std::string unpacked(const std::string& text, std::size_t size) {
  namespace zlib = boost::beast::zlib;
  const std::string in = from_base64(text);
  std::string out(size + 1, '\0');
  zlib::inflate_stream stream;
  zlib::z_params params;
  params.next_in = in.data();
  params.avail_in = in.size();
  params.next_out = out.data();
  params.avail_out = out.size();
  boost::beast::error_code error;
  stream.write(params, zlib::Flush::finish, error);
  EXPECT_EQ(error, zlib::error::end_of_stream) << error.message();
  out.resize(params.total_out);
  return out;
}

TEST(Packed, ComesOutAsItWentIn) {
  std::string noise;
  std::uint32_t state = 7;
  for (int i = 0; i < 300000; ++i)
    noise += static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  for (const std::string& text : {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
                                  std::string(1000000, 'x'), noise}) {
    const std::string result = packed(text);
    EXPECT_EQ(result.size() % 4, 0U);
    EXPECT_EQ(unpacked(result, text.size()), text);
  }
}

TEST(Packed, TakesLittleRoomForWhatRepeats) {
  EXPECT_LT(packed(std::string(1000000, 'x')).size(), 2000U);
}

}  // namespace
}  // namespace plumbline::engine
