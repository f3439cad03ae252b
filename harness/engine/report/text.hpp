#pragma once

#include "harness/base/text.hpp"

namespace plumbline::engine {

using plumbline::columns;
using plumbline::printable;
using plumbline::printable_lines;
using plumbline::valid_utf8;
using plumbline::wrap;

}  // namespace plumbline::engine
