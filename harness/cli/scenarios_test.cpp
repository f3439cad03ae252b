// The scenarios that ship, as texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace plumbline::cli::testing {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Where a line of a script begins with the program; npos: none does.
std::size_t started_at(const std::string& text, const std::string& program) {
  std::size_t at = text.find(" " + program + " ");
  while (at != std::string::npos) {
    const std::size_t line = text.rfind('\n', at) + 1;
    if (text.find_first_not_of(' ', line) == at + 1) return at;
    at = text.find(" " + program + " ", at + 1);
  }
  return std::string::npos;
}

/// Else a machine that lacks one has a failure where it should have a scenario skipped.
TEST(Scenarios, LookFirstForProgramsThatNeedNotBeHere) {
  std::size_t started = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PLUMBLINE_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string text = read(entry.path());
    for (const char* program : {"dnsmasq", "unbound", "firewall-cmd", "socat"}) {
      const std::size_t start = started_at(text, program);
      if (start == std::string::npos) continue;
      ++started;
      const std::size_t looked = text.find(std::string("command -v ") + program);
      EXPECT_LT(looked, start) << entry.path() << " starts " << program
                               << " without looking whether it is here";
    }
  }
  EXPECT_GT(started, 0U) << "none was found: this test has lost its way";
}

}  // namespace
}  // namespace plumbline::cli::testing
