#pragma once

#include "harness/base/fd.hpp"

namespace plumbline::cli {

/// One `validate` at a time in a network namespace: listeners that one lends would be services of the host's
/// to another. Waits, and says so, while another is at work here. The turn lasts as long as what is returned;
/// the kernel ends it with the process, however that ends. Empty: somebody else has the name, and is not
/// waited for. Nothing is written: the name is a Unix socket's, without a file (unix(7), abstract).
Fd take_turn();

}  // namespace plumbline::cli
