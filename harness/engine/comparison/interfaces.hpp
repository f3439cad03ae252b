#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// The interfaces of a scenario's network, by the names that they have in the run with which it is compared.
/// Engines make names up ("veth8eb6808", "br-8305a55d5a12"), so that the same interface has another one in
/// every run.
class Interfaces {
 public:
  /// `other` is the network whose names count. An interface is the same in both that has
  /// 1. the same name and kind, and leads to the same node; or
  /// 2. alone in its node, the same kind, addresses and bridge, and leads to the same node; or
  /// 3. the same name.
  /// Of others the name is their own.
  Interfaces(const std::vector<DrawnNode>& network, const std::vector<DrawnNode>& other);

  /// A port of a bridge.
  bool is_port(std::string_view node, std::string_view name) const;
  /// It was there when the network was read.
  bool is_known(std::string_view node, std::string_view name) const;
  /// Its name in the other network.
  std::string_view name_of(std::string_view node, std::string_view name) const;
  /// "veth8eb6808 (to web:eth0)" where its name alone would say nothing; else that.
  std::string told(std::string_view node, std::string_view name) const;
  /// `text` with the names of interfaces of `node` as words in it by their names in the other network.
  std::string renamed(std::string_view node, std::string_view text) const;

 private:
  struct One {
    std::string peer;
    bool port = false;
    bool same_name = false;  ///< in the other network
    std::string name;        ///< there
  };

  const One* find(std::string_view node, std::string_view name) const;

  std::map<std::string, std::map<std::string, One, std::less<>>, std::less<>> nodes_;
  std::set<std::string, std::less<>> renames_;  ///< nodes with an interface of another name
};

}  // namespace plumbline::engine
