#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline::network::cni {

/// A network configuration: plugins that are called one after the other (CNI specification, section 1).
struct Configuration {
  std::string name;
  std::string version;                       ///< of the specification that it is written in: "1.0.0"
  bool disable_check = false;                ///< its author asks runtimes not to call CHECK
  std::vector<boost::json::object> plugins;  ///< at least one; each has a `type`
  std::string text;                          ///< as it was read
};

/// Reads a list (.conflist) or a single plugin's configuration (.conf), which is a list of one. Throws Error
/// of kind usage for what is no JSON, says a thing twice, lacks a name or plugins, or is written in a version
/// that is not known here: 0.3.0 to 1.0.0 are.
Configuration parse_configuration(std::string_view text);

/// The type of `plugin`: the name of its program.
std::string type_of(const boost::json::object& plugin);
/// The type of the plugin that it has give out addresses; empty: none.
std::string ipam_of(const boost::json::object& plugin);
/// Whether one of its plugins takes what runtimes know by this name (`capabilities`).
bool takes(const Configuration& network, std::string_view capability);
/// Whether runtimes call CHECK, and give DEL the result of ADD: from 0.4.0 on.
bool has_check(const Configuration& network);

/// What the `index`th plugin finds on its standard input: its own configuration with name and version of the
/// list, the result of whoever was called before it (null: nobody was), and of `known` what it takes.
boost::json::object execution_configuration(const Configuration& network, std::size_t index,
                                            const boost::json::object* previous,
                                            const boost::json::object& known);

}  // namespace plumbline::network::cni
