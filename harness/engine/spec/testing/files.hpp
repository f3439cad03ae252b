#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "harness/engine/spec/value.hpp"

/// For this folder's tests.
namespace plumbline::spec::testing_support {

/// A folder that goes with the test.
class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "plumbline-spec-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make " << name;
    folder_ = name;
  }
  ~FolderTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  /// The error without the folder's name: "t.yaml:1:1: …".
  std::string error_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const SpecError& error) {
      const std::string text = error.what();
      return text.starts_with(folder_ + "/") ? text.substr(folder_.size() + 1) : text;
    }
    return "no error";
  }

  std::string folder_;
};

}  // namespace plumbline::spec::testing_support
