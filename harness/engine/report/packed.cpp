#include "harness/engine/report/packed.hpp"

#include <boost/beast/zlib.hpp>
#include <cstdint>

#include "harness/base/error.hpp"

namespace plumbline::engine {
namespace {

namespace zlib = boost::beast::zlib;

std::string deflated(std::string_view text) {
  // Level 6 is zlib's own choice; what is more costs time and hardly saves room.
  constexpr int kLevel = 6, kWindowBits = 15, kMemory = 8;
  zlib::deflate_stream stream;
  stream.reset(kLevel, kWindowBits, kMemory, zlib::Strategy::normal);
  std::string out(stream.upper_bound(text.size()) + 16, '\0');
  zlib::z_params params;
  params.next_in = text.data();
  params.avail_in = text.size();
  params.next_out = out.data();
  params.avail_out = out.size();
  boost::beast::error_code error;
  stream.write(params, zlib::Flush::finish, error);
  if (error != zlib::error::end_of_stream)
    throw Error("the report could not be compressed: " + error.message());
  out.resize(params.total_out);
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8U | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i > bytes.size() ? '=' : kLetters[group >> (18U - 6U * i) & 63U];
  }
  return out;
}

}  // namespace

std::string packed(std::string_view text) {
  return base64(deflated(text));
}

}  // namespace plumbline::engine
