#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

/// Private to this folder.
namespace plumbline::network::detail {

/// What an answer's body says: see EngineApi::get. `label` names the request. Throws EngineRefusal.
boost::json::value read_answer(unsigned status, std::string_view body, const std::string& label);

}  // namespace plumbline::network::detail
