#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

/// Private to this folder: JSON of others', in which nothing need be there, or be what it should.
namespace plumbline::network::detail {

using JsonPath = std::initializer_list<std::string_view>;

/// What stands at such keys, one within the other; null: it does not.
const boost::json::value* at(const boost::json::value& value, JsonPath path);
/// Empty: there is no such text.
std::string text_at(const boost::json::value& value, JsonPath path);
/// 0: there is no such number.
std::int64_t number_at(const boost::json::value& value, JsonPath path);
/// The words that say so too: networks' options are texts ("true").
bool truth_at(const boost::json::value& value, JsonPath path, bool otherwise = false);
/// Empty ones where there is nothing of the kind.
const boost::json::object& object_at(const boost::json::value& value, JsonPath path);
const boost::json::array& array_at(const boost::json::value& value, JsonPath path);

}  // namespace plumbline::network::detail
