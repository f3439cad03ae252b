#pragma once

#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// Several runs as one: their scenarios one behind the other. It began with the first of them and ended with
/// the last, where all tell when they began; else it took as long as all of them together. It was interrupted
/// if one was, and then scenarios say whose run that was. What a host ran again in a later run counts as a
/// repetition. Of a baseline that one of several was compared with, nothing is left: it was not all of them.
///
/// `names` are those of their reports, for errors. Throws Error of kind usage where two specs of one host
/// have the same name: `run` refuses them too, as nobody could tell their checks apart.
RunResult merged(std::vector<RunResult> runs, const std::vector<std::string>& names = {});

}  // namespace plumbline::engine
