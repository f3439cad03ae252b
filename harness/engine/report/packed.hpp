#pragma once

#include <string>
#include <string_view>

namespace plumbline::engine {

/// `text` as a raw deflate stream (RFC 1951) in Base64, which browsers unpack by themselves.
std::string packed(std::string_view text);

}  // namespace plumbline::engine
