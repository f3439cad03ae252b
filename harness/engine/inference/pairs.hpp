#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/inference/context.hpp"

/// Private to this folder: who is promised to reach whom, or not to, in a spec's words.
namespace plumbline::engine::detail {

/// As a check's `to` names the address of `node`. A node with one address of the family by its name; one with
/// several by the address, for a check would choose among them, and another network's may be in better
/// health.
std::string target_word(const Context& context, const std::string& from, const std::string& node,
                        const IpAddress& address);

/// Pairs of one kind of check, told with as few promises as hold the same: names in lists, and both families
/// in one where both hold.
class Pairs {
 public:
  enum class Gather : std::uint8_t { targets, sources };  ///< whom one promise may have several of

  Pairs(const Context& context, std::string kind, Gather gather)
      : context_(context), kind_(std::move(kind)), gather_(gather) {}

  void add(const std::string& from, const std::string& to, const IpAddress& address, const std::string& why);
  void tell(const std::string& section) const;

 private:
  struct Line {
    std::string from, node, to;
    std::vector<IpFamily> families;  ///< of one that is named
    std::string why;
    bool named() const { return node == to; }
  };
  std::string family_key(const Line& line) const;

  const Context& context_;
  std::string kind_;
  Gather gather_;
  std::vector<Line> lines_;
};

/// What is not promised, the same words of several in one.
class Remarks {
 public:
  /// "{names} {words}".
  void add(const std::string& before, const std::string& name, const std::string& after);
  void tell(const Context& context, const std::string& section) const;

 private:
  struct Line {
    std::string before, after;
    std::vector<std::string> names;
  };
  std::vector<Line> lines_;
};

}  // namespace plumbline::engine::detail
