#pragma once

#include <string>
#include <string_view>

#include "harness/engine/spec/value.hpp"

/// Private to this folder: the bytes of a file, before YAML.
namespace plumbline::spec {

/// The whole file. Throws SpecError at 1:1 where it is missing, unreadable, not a file, or over kLargestFile.
std::string read_source(const std::string& path);

/// Throws SpecError for too much text, for bytes that are not UTF-8 or not text, and for tabs as indentation,
/// each at its place.
void check_source(std::string_view text, const std::shared_ptr<const std::string>& file);

}  // namespace plumbline::spec
