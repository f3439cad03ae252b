#pragma once

#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/network/setup/script.hpp"
#include "harness/network/setup/script_host.hpp"

/// Private to this folder: what is said about a script.
namespace plumbline::network {

/// A program's output with every line fit to be shown.
std::string printable_output(std::string_view output);

/// "scenario.yaml:12:5: script nat.sh".
std::string label_of(const Script& script);

/// ". It said:" and the last lines of `output`, indented, or that there was none.
std::string said(std::string_view output);

/// The last line that is not blank; empty: there is none.
std::string last_line(std::string_view output);

}  // namespace plumbline::network
