#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "harness/engine/spec/spec.hpp"

namespace plumbline::spec {
namespace {

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "plumbline spec",
  "description": "Promises about a host's container networking; with world and setup, a scenario that can be run.",
  "type": "object",
  "required": ["version", "name", "checks"],
  "additionalProperties": false,
  "properties": {
    "version": {"const": 1},
    "name": {"$ref": "#/$defs/name"},
    "about": {"type": "string", "description": "What is promised, in a sentence or two."},
    "world": {"type": "string", "minLength": 1,
              "description": "What surrounds the host: the name of a world that ships, or a path relative to this file."},
    "setup": {
      "type": "object", "minProperties": 1, "additionalProperties": false,
      "description": "What makes the host's container networking; needs 'world'. The scenario is run once with each.",
      "properties": {"native": {"$ref": "#/$defs/native"}, "script": {"$ref": "#/$defs/script"},
                     "cni": {"$ref": "#/$defs/cni"}, "docker": {"$ref": "#/$defs/docker"},
                     "podman": {"$ref": "#/$defs/podman"}}
    },
    "nodes": {
      "type": ["object", "null"],
      "description": "Where a live host's nodes are found (plumbline validate); the host itself needs no place.",
      "propertyNames": {"$ref": "#/$defs/name"}, "additionalProperties": {"$ref": "#/$defs/place"}
    },
    "checks": {
      "type": "array", "minItems": 1,
      "items": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": {}}
    },
    "equivalent": {
      "description": "Mutants that no check can notice (plumbline selftest --mutate), and why.",
      "oneOf": [{"$ref": "#/$defs/equivalent"}, {"type": "array", "items": {"$ref": "#/$defs/equivalent"}}]
    }
  },
  "dependentRequired": {"setup": ["world"]},
  "if": {"required": ["nodes"]},
  "then": {"not": {"anyOf": [{"required": ["world"]}, {"required": ["setup"]}]}},
  "$defs": {
    "name": {"type": "string", "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]{0,62}$"},
    "interface": {"type": "string", "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]{0,14}$"},
    "place": {
      "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
      "properties": {
        "netns": {"type": "string", "minLength": 1, "description": "A name in /run/netns, or an absolute path."},
        "pid": {"type": "integer", "minimum": 1, "description": "A process in it."},
        "docker": {"type": "string", "minLength": 1, "description": "A container of Docker's, by name or id."},
        "podman": {"type": "string", "minLength": 1, "description": "A container of Podman's, by name or id."}
      }
    },
    "endpoint": {"type": "string", "description": "NODE:INTERFACE",
                 "pattern": "^(?!\\.{1,2}:)[A-Za-z0-9._][A-Za-z0-9._-]{0,62}:(?!\\.{1,2}$)[A-Za-z0-9._][A-Za-z0-9._-]{0,14}$"},
    "address": {"type": "string", "pattern": "^[0-9a-fA-F:.]+$", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
    "addresses": {"description": "One address, or a list.",
                  "oneOf": [{"$ref": "#/$defs/address"}, {"type": "array", "items": {"$ref": "#/$defs/address"}, "minItems": 1}]},
    "network": {"type": "string", "pattern": "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$", "description": "An address, or one with a prefix length."},
    "held-address": {"type": "string", "pattern": "^[0-9a-fA-F:.]+/[0-9]{1,3}$", "description": "An address with its prefix length."},
    "held-addresses": {"description": "One address with its prefix length, or a list.",
                       "oneOf": [{"$ref": "#/$defs/held-address"}, {"type": "array", "items": {"$ref": "#/$defs/held-address"}}]},
    "networks": {"description": "One network, or a list.",
                 "oneOf": [{"$ref": "#/$defs/network"}, {"type": "array", "items": {"$ref": "#/$defs/network"}}]},
    "interfaces": {"description": "One of the host's interfaces, or a list.",
                   "oneOf": [{"$ref": "#/$defs/interface"}, {"type": "array", "items": {"$ref": "#/$defs/interface"}}]},
    "nodes": {"description": "A node, or a list of nodes.",
              "oneOf": [{"$ref": "#/$defs/name"}, {"type": "array", "items": {"$ref": "#/$defs/name"}, "minItems": 1}]},
    "target": {"type": "string", "minLength": 1, "description": "A node, or an IP address."},
    "targets": {"description": "A node or an address, or a list of them.",
                "oneOf": [{"$ref": "#/$defs/target"}, {"type": "array", "items": {"$ref": "#/$defs/target"}, "minItems": 1}]},
    "family": {"enum": ["ipv4", "ipv6"]},
    "families": {"description": "Address families; by default every one that both ends have.",
                 "oneOf": [{"$ref": "#/$defs/family"}, {"type": "array", "items": {"$ref": "#/$defs/family"}, "minItems": 1}]},
    "port": {"type": "string", "pattern": "^(tcp|udp)/[0-9]{1,5}$"},
    "ports": {"oneOf": [{"$ref": "#/$defs/port"}, {"type": "array", "items": {"$ref": "#/$defs/port"}, "minItems": 1}]},
    "service": {"type": "string", "pattern": "^(ping|(tcp|udp)/[0-9]{1,5})$"},
    "services": {"description": "What is sent: ping (the default), tcp/PORT, udp/PORT, or a list of them.",
                 "oneOf": [{"$ref": "#/$defs/service"}, {"type": "array", "items": {"$ref": "#/$defs/service"}, "minItems": 1}]},
    "refusal": {"description": "What the kernel says that will not route or send, or errno's own text for it.",
                "enum": ["network unreachable", "host unreachable", "permission denied", "invalid argument", "operation not permitted",
                         "Network is unreachable", "No route to host", "Permission denied", "Invalid argument", "Operation not permitted"]},
    "native": {
      "type": "object", "anyOf": [{"required": ["bridges"]}, {"required": ["containers"]}],
      "additionalProperties": false,
      "properties": {
        "containers": {"type": "object", "propertyNames": {"$ref": "#/$defs/name"},
                       "additionalProperties": {"$ref": "#/$defs/single"},
                       "description": "Containers without a bridge: alone, or at the end of a cable of their own."},
        "bridges": {"type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/interface"},
                    "additionalProperties": {"$ref": "#/$defs/bridge"}},
        "forward": {"$ref": "#/$defs/forward"},
        "masquerade": {"description": "Uplinks by which containers leave with the host's address; for each family where that differs.",
                       "oneOf": [{"$ref": "#/$defs/interfaces"},
                                 {"type": "object", "additionalProperties": false,
                                  "properties": {"ipv4": {"$ref": "#/$defs/interfaces"}, "ipv6": {"$ref": "#/$defs/interfaces"}}}]},
        "routing": {"$ref": "#/$defs/routing"},
        "resolvers": {"$ref": "#/$defs/addresses", "description": "The containers' resolvers; the host's own by default."},
        "nft": {"type": "string", "description": "A ruleset in nft's own language, loaded into the host after all else."}
      }
    },
    "program": {
      "oneOf": [{"required": ["run"]}, {"required": ["shell"]}],
      "properties": {
        "run": {"type": "string", "minLength": 1, "description": "A script: beside the spec, or below fixtures/setups."},
        "shell": {"type": "string", "minLength": 1, "description": "Text for /bin/sh -eu."},
        "arguments": {"oneOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}]},
        "timeout": {"$ref": "#/$defs/time", "default": "60s"}
      }
    },
    "time": {"type": "string", "description": "From 1ms to 3600s.", "anyOf": [
      {"pattern": "^0*([1-9][0-9]{0,5}|[12][0-9]{6}|3[0-5][0-9]{5})(\\.[0-9]*)?ms$"}, {"pattern": "^0*3600000(\\.0*)?ms$"},
      {"pattern": "^0*([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2})(\\.[0-9]*)?s$"}, {"pattern": "^0*3600(\\.0*)?s$"},
      {"pattern": "^0*\\.0{0,2}[1-9][0-9]*s$"}]},
    "variable": {"type": "string", "pattern": "^(?!PLUMBLINE_)[A-Za-z_][A-Za-z0-9_]*$"},
    "variables": {"type": "object", "propertyNames": {"$ref": "#/$defs/variable"},
                  "additionalProperties": {"type": ["string", "number", "boolean"]}},
    "script": {
      "type": "object", "$ref": "#/$defs/program", "unevaluatedProperties": false,
      "description": "A script of the user's, run inside the disposable host.",
      "properties": {
        "env": {"type": "object", "propertyNames": {"$ref": "#/$defs/variable"},
                "additionalProperties": {"oneOf": [{"type": ["string", "number", "boolean"]},
                                                   {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1, "uniqueItems": true}]},
                "description": "Variables; a list makes one setup for each value."},
        "containers": {"type": "object", "propertyNames": {"$ref": "#/$defs/name"},
                       "additionalProperties": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/addresses"}]},
                       "description": "The namespaces that it leaves in /run/netns, with their addresses; by default what a native setup beside it makes."},
        "resolvers": {"$ref": "#/$defs/addresses"}
      }
    },
    "cni": {
      "type": "object", "required": ["containers"], "additionalProperties": false,
      "oneOf": [{"required": ["network"]}, {"required": ["networks"]}],
      "description": "Containers connected by CNI plugins.",
      "properties": {
        "network": {"type": "string", "minLength": 1, "description": "A CNI network configuration: beside the spec, or below fixtures/setups."},
        "networks": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "minLength": 1},
                     "description": "Several, by the names that containers call them."},
        "path": {"description": "Folders of plugins; CNI_PATH, /usr/lib/cni and /opt/cni/bin by default.",
                 "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "containers": {"type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/name"},
                       "additionalProperties": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/cni-container"}]}}
      }
    },
    "cni-container": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "network": {"type": "string", "description": "One of 'networks'."},
        "address": {"$ref": "#/$defs/addresses", "description": "What it must be given; whatever it is given by default."},
        "interface": {"$ref": "#/$defs/interface", "default": "eth0"},
        "ports": {"description": "HOST-PORT:PORT, with ADDRESS: before it and /udp behind it where they are needed.",
                  "oneOf": [{"$ref": "#/$defs/port-mapping"}, {"type": "array", "items": {"$ref": "#/$defs/port-mapping"}}]},
        "args": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}, "description": "CNI_ARGS."},
        "capabilities": {"type": "object", "description": "What plugins are told, by capability (runtimeConfig)."}
      }
    },
    "port-mapping": {"type": "string", "pattern": "^(.+:)?[0-9]{1,5}:[0-9]{1,5}(/(tcp|udp|sctp))?$"},
    "equivalent": {
      "type": "object", "required": ["mutant", "reason"], "additionalProperties": false,
      "properties": {
        "mutant": {"type": "string", "minLength": 1, "description": "A mutant's id or line, as the report has it; * stands for any text."},
        "reason": {"type": "string", "minLength": 1}
      }
    },
    "change": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": {}},
    "bridge": {
      "type": "object", "required": ["address"], "additionalProperties": false,
      "properties": {
        "address": {"$ref": "#/$defs/held-addresses", "description": "The containers' gateway, with prefix length; at most one of each family."},
        "containers": {"type": "object", "propertyNames": {"$ref": "#/$defs/name"},
                       "additionalProperties": {"$ref": "#/$defs/addresses"},
                       "description": "Containers by name, with their addresses."},
        "default-route": {"type": "boolean", "default": true, "description": "Whether the containers' default route is the bridge's address."}
      }
    },
    "single": {
      "type": "object", "additionalProperties": false, "dependentRequired": {"addresses": ["veth"], "host-addresses": ["veth"], "default-route": ["veth"]},
      "properties": {
        "veth": {"$ref": "#/$defs/interface", "description": "The host's end of the cable; the container's is eth0."},
        "addresses": {"$ref": "#/$defs/held-addresses", "description": "Of eth0, with prefix length."},
        "host-addresses": {"$ref": "#/$defs/held-addresses", "description": "Of the host's end, with prefix length."},
        "default-route": {"type": "boolean", "default": false}
      }
    },
    "forward": {
      "type": "object", "additionalProperties": false,
      "description": "Forwarding with the policy DROP; replies come back by conntrack state.",
      "properties": {
        "allow": {"$ref": "#/$defs/interfaces", "description": "Uplinks by which containers may leave."},
        "deny": {"$ref": "#/$defs/networks", "description": "Networks that containers must not reach."},
        "except": {"description": "Exceptions to 'deny'.",
                   "oneOf": [{"$ref": "#/$defs/exception"}, {"type": "array", "items": {"$ref": "#/$defs/exception"}}]},
        "how": {"enum": ["reject", "drop"], "default": "reject"},
        "log": {"type": "string", "minLength": 1, "maxLength": 127, "description": "Prefix of a log rule before all others."}
      }
    },
    "docker": {
      "type": "object", "required": ["containers"], "additionalProperties": false,
      "description": "A Docker of its own inside the disposable host.",
      "properties": {
        "iptables": {"$ref": "#/$defs/iptables"},
        "daemon": {"type": "object", "description": "Keys of daemon.json that are about networks, as they are.",
                   "propertyNames": {"enum": ["bip", "bip6", "bridge", "fixed-cidr", "fixed-cidr-v6", "default-gateway", "default-gateway-v6",
                                             "default-address-pools", "default-network-opts", "icc", "ip", "ip-forward", "ip-forward-no-drop",
                                             "ip-masq", "iptables", "ip6tables", "ipv6", "mtu", "network-control-plane-mtu", "userland-proxy",
                                             "allow-direct-routing", "firewall-backend", "dns", "dns-opts", "dns-search", "host-gateway-ip",
                                             "host-gateway-ips", "live-restore", "experimental", "features", "debug", "log-level"]}},
        "networks": {"$ref": "#/$defs/engine-networks"},
        "containers": {"$ref": "#/$defs/engine-containers"}
      }
    },
    "podman": {
      "type": "object", "required": ["containers"], "additionalProperties": false,
      "description": "A Podman of its own, with netavark, inside the disposable host.",
      "properties": {
        "iptables": {"$ref": "#/$defs/iptables"},
        "networks": {"$ref": "#/$defs/engine-networks"},
        "containers": {"$ref": "#/$defs/engine-containers"}
      }
    },
    "iptables": {"description": "Which of the host's iptables the engine finds; a list makes one setup for each.",
                 "oneOf": [{"enum": ["nft", "legacy"]}, {"type": "array", "items": {"enum": ["nft", "legacy"]}, "minItems": 1}]},
    "engine-name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$"},
    "engine-networks": {
      "type": "object", "propertyNames": {"$ref": "#/$defs/engine-name"},
      "additionalProperties": {
        "type": ["object", "null"], "additionalProperties": false,
        "properties": {
          "subnet": {"$ref": "#/$defs/networks"},
          "internal": {"type": "boolean", "default": false},
          "options": {"type": "object", "description": "Of the engine's bridge driver.", "additionalProperties": {"type": ["string", "boolean", "number"]}}
        }
      }
    },
    "engine-containers": {
      "type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/engine-name"},
      "additionalProperties": {
        "type": ["object", "null"], "additionalProperties": false,
        "not": {"required": ["networks"], "anyOf": [{"required": ["network"]}, {"required": ["address"]}]},
        "properties": {
          "network": {"$ref": "#/$defs/engine-name", "description": "One of the setup's networks; the engine's default one without it."},
          "address": {"$ref": "#/$defs/addresses", "description": "On the default network: what it is expected to get."},
          "networks": {"type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/engine-name"},
                       "additionalProperties": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/addresses"}]}},
          "publish": {"description": "Ports of the host that lead to it: [ADDRESS:]HOST-PORT:PORT[/udp].",
                      "oneOf": [{"$ref": "#/$defs/published-port"}, {"type": "array", "items": {"$ref": "#/$defs/published-port"}}]}
        }
      }
    },
    "published-port": {"type": "string", "pattern": "^((\\[[0-9a-fA-F:.]+\\]|[0-9.]+):)?[0-9]{1,5}:[0-9]{1,5}(/(tcp|udp))?$"},
    "exception": {
      "oneOf": [
        {"$ref": "#/$defs/network"},
        {"type": "object", "required": ["to"], "additionalProperties": false,
         "properties": {"to": {"$ref": "#/$defs/network"}, "with": {"$ref": "#/$defs/ports"}}}
      ]
    },
    "routing": {
      "type": "object", "required": ["via"], "additionalProperties": false,
      "description": "A routing table of its own for the containers' traffic.",
      "properties": {
        "table": {"type": "integer", "minimum": 1, "maximum": 4294967295, "not": {"minimum": 253, "maximum": 255}, "default": 88},
        "via": {"$ref": "#/$defs/interface", "description": "The uplink, whose gateway the world names."}
      }
    }
  }
})json";

}  // namespace

std::string json_schema(const KindSchemas& checks, const KindSchemas& changes) {
  boost::json::object schema = boost::json::parse(kSchema).as_object();
  boost::json::object& item = schema["properties"].as_object()["checks"].as_object()["items"].as_object();
  boost::json::object& kinds = item["properties"].as_object();
  for (const auto& [kind, fragment] : checks) kinds[kind] = boost::json::parse(fragment);
  boost::json::object& change = schema["$defs"].as_object()["change"].as_object();
  for (const auto& [kind, fragment] : changes) {
    change["properties"].as_object()[kind] = boost::json::parse(fragment);
    if (kind == "run") kinds[kind] = boost::json::parse(fragment);
  }
  kinds["then"] = boost::json::parse(R"({
    "description": "Changes to the network, made after the checks before and ahead of those that follow.",
    "oneOf": [{"$ref": "#/$defs/change"}, {"type": "array", "items": {"$ref": "#/$defs/change"}, "minItems": 1}]
  })");
  return boost::json::serialize(schema);
}

}  // namespace plumbline::spec
