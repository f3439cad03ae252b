#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

std::string report_json_schema() {
  return R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Report of plumbline run",
  "type": "object",
  "additionalProperties": false,
  "required": ["schema", "plumbline", "summary", "duration_ms", "interrupted", "repetitions", "differing", "scenarios"],
  "properties": {
    "schema": {"const": 1, "description": "Version of this format"},
    "plumbline": {"type": "string", "description": "Version of the program that wrote it"},
    "summary": {
      "type": "object",
      "additionalProperties": false,
      "required": ["passed", "failed", "inconclusive", "skipped", "errors"],
      "properties": {
        "passed": {"$ref": "#/$defs/count"},
        "failed": {"$ref": "#/$defs/count"},
        "inconclusive": {"$ref": "#/$defs/count"},
        "skipped": {"$ref": "#/$defs/count"},
        "errors": {"$ref": "#/$defs/count", "description": "A scenario that could not be run counts as one"}
      }
    },
    "started": {"type": "string", "description": "When, in UTC: 2026-02-28T12:00:00Z"},
    "duration_ms": {"$ref": "#/$defs/milliseconds"},
    "interrupted": {"type": "boolean", "description": "It was ended by a signal; checks that had not ended by then are there as skip, observed: interrupted; scenarios that had not begun are missing"},
    "repetitions": {"$ref": "#/$defs/count", "description": "How often all of it was to be run"},
    "differing": {"type": "array", "items": {"$ref": "#/$defs/difference"}, "description": "Checks whose verdict was not the same in all repetitions"},
    "across_hosts": {"type": "array", "items": {"$ref": "#/$defs/host_difference"}, "description": "Checks whose verdict was not the same on all hosts"},
    "baseline": {"$ref": "#/$defs/baseline"},
    "scenarios": {"type": "array", "items": {"$ref": "#/$defs/scenario"}, "description": "Of all repetitions, one after the other"}
  },
  "$defs": {
    "count": {"type": "integer", "minimum": 0},
    "milliseconds": {"type": "number", "minimum": 0},
    "verdict": {"enum": ["pass", "fail", "inconclusive", "skip", "error"]},
    "error": {
      "type": "object",
      "additionalProperties": false,
      "required": ["message", "where"],
      "properties": {
        "message": {"type": "string"},
        "where": {"type": "string", "description": "file:line:column of the spec"}
      }
    },
    "scenario_error": {
      "type": "object",
      "additionalProperties": false,
      "required": ["message", "where", "kind"],
      "properties": {
        "message": {"type": "string"},
        "where": {"type": "string", "description": "The spec, or file:line:column in it"},
        "remedy": {"type": "string", "description": "What can be done about it"},
        "kind": {"enum": ["usage", "setup", "environment", "internal"], "description": "usage: its own text is wrong; setup: what should have set the host up failed; environment: this machine cannot run it"}
      }
    },
    "difference": {
      "type": "object",
      "additionalProperties": false,
      "required": ["scenario", "setup", "check", "verdicts"],
      "properties": {
        "scenario": {"type": "string"},
        "setup": {"type": "string"},
        "check": {"type": "string", "description": "Its id"},
        "host": {"type": "string", "description": "Where"},
        "verdicts": {
          "type": "array",
          "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["verdict", "repetitions"],
            "properties": {
              "verdict": {"$ref": "#/$defs/verdict"},
              "repetitions": {"type": "array", "items": {"type": "integer", "minimum": 1}, "description": "Those that came to it"}
            }
          }
        }
      }
    },
    "host_difference": {
      "type": "object",
      "additionalProperties": false,
      "required": ["scenario", "setup", "check", "verdicts"],
      "properties": {
        "scenario": {"type": "string"},
        "setup": {"type": "string"},
        "check": {"type": "string", "description": "Its id"},
        "verdicts": {
          "type": "object",
          "description": "Which hosts came to which; of several repetitions, the gravest counts",
          "propertyNames": {"$ref": "#/$defs/verdict"},
          "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1}
        }
      }
    },
    "baseline": {
      "type": "object",
      "description": "What has changed since an earlier run",
      "additionalProperties": false,
      "required": ["name", "compared", "incomplete", "changes"],
      "properties": {
        "name": {"type": "string", "description": "Of the earlier run's report, as it was given"},
        "started": {"type": "string", "description": "When that run began, in UTC"},
        "compared": {"$ref": "#/$defs/count", "description": "Checks that both runs have"},
        "incomplete": {"$ref": "#/$defs/count", "description": "Of those: where one of the runs could not tell all rules or hops, so that some may have been gained or lost unseen"},
        "changes": {"type": "array", "items": {"$ref": "#/$defs/baseline_change"}, "description": "Checks whose verdict or path is not the same; those that only one run has"}
      }
    },
    "baseline_change": {
      "type": "object",
      "additionalProperties": false,
      "required": ["scenario", "setup", "check", "was", "is", "gained", "lost"],
      "properties": {
        "host": {"type": "string"},
        "scenario": {"type": "string"},
        "setup": {"type": "string"},
        "check": {"type": "string", "description": "Its id"},
        "was": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/verdict"}], "description": "null: the check is new"},
        "is": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/verdict"}], "description": "null: the check is gone"},
        "gained": {"type": "array", "items": {"type": "string"}, "description": "Hops and rules of its path that were not there before"},
        "lost": {"type": "array", "items": {"type": "string"}, "description": "Those that are there no more"}
      },
      "not": {"properties": {"was": {"type": "null"}, "is": {"type": "null"}}}
    },
    "scenario": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "file", "setup", "about", "build_ms", "checks_ms", "teardown_ms", "checks", "changes"],
      "properties": {
        "name": {"type": "string"},
        "file": {"type": "string", "description": "The spec's path, as it was given"},
        "setup": {"type": "string", "description": "What made the host's container networking: native, or script with its variant"},
        "about": {"type": "string", "description": "The spec's own words"},
        "host": {"type": "string", "description": "The machine's name"},
        "repetition": {"type": "integer", "minimum": 1, "description": "Only where all of it is run several times"},
        "interrupted": {"type": "boolean", "description": "Its own run was interrupted, where the report is of several: what it skipped, that run might have come to"},
        "build_ms": {"$ref": "#/$defs/milliseconds"},
        "checks_ms": {"$ref": "#/$defs/milliseconds"},
        "teardown_ms": {"$ref": "#/$defs/milliseconds"},
        "checks": {"type": "array", "items": {"$ref": "#/$defs/check"}},
        "changes": {"type": "array", "items": {"$ref": "#/$defs/change"}, "description": "Made between checks, in their order"},
        "network": {"type": "array", "items": {"$ref": "#/$defs/node"}, "description": "As it was read back before the first check"},
        "matrix": {"type": "array", "items": {"$ref": "#/$defs/matrix"}, "description": "Of `plumbline matrix`: who reaches whom"},
        "error": {"$ref": "#/$defs/scenario_error", "description": "It could not be run, or not to its end"}
      }
    },
    "node": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "role", "interfaces"],
      "properties": {
        "name": {"type": "string"},
        "role": {"enum": ["host", "container", "world"]},
        "interfaces": {"type": "array", "items": {
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "kind", "addresses", "up"],
          "properties": {
            "name": {"type": "string"},
            "kind": {"type": "string", "description": "The kernel's word: veth, bridge, loopback"},
            "addresses": {"type": "array", "items": {"type": "string"}, "description": "With prefix lengths"},
            "master": {"type": "string", "description": "The bridge of this node that it is a port of"},
            "peer": {"type": "string", "description": "NODE:INTERFACE, the other end of its cable, or what it lies on"},
            "up": {"type": "boolean"}
          }
        }}
      }
    },
    "matrix": {
      "type": "object",
      "additionalProperties": false,
      "required": ["with", "family", "from", "to", "cells"],
      "properties": {
        "with": {"type": "string", "description": "ping, tcp/80, udp/53"},
        "family": {"enum": ["ipv4", "ipv6"]},
        "from": {"type": "array", "items": {"type": "string"}, "description": "Nodes, a row each"},
        "to": {"type": "array", "items": {"type": "string"}, "description": "Nodes, and addresses that promises name, a column each"},
        "cells": {"type": "array", "items": {"type": "string", "pattern": "^[-.X?! ]*$"}, "description": "A text a row: . allowed, X denied, ? not proven, ! differs from what was promised, - the node itself, a space where nothing is known"},
        "reasons": {"type": "array", "items": {
          "type": "object",
          "additionalProperties": false,
          "required": ["text", "cells"],
          "properties": {
            "text": {"type": "string", "description": "Who stopped it, or what is not known"},
            "cells": {"type": "array", "items": {"type": "array", "items": {"$ref": "#/$defs/count"}, "minItems": 2, "maxItems": 2}, "description": "Row and column, from 0"}
          }
        }}
      }
    },
    "change": {
      "type": "object",
      "additionalProperties": false,
      "required": ["about", "where", "before", "made", "duration_ms"],
      "properties": {
        "about": {"type": "string", "description": "delete-link host:veth1"},
        "where": {"type": "string", "description": "file:line:column of the spec"},
        "before": {"$ref": "#/$defs/count", "description": "Index of the first check that came after it"},
        "made": {"type": "boolean"},
        "duration_ms": {"$ref": "#/$defs/milliseconds"}
      }
    },
    "check": {
      "type": "object",
      "additionalProperties": false,
      "required": ["id", "type", "from", "to", "with", "family", "where", "verdict", "expected", "observed", "duration_ms", "journey", "kernel", "incomplete", "conntrack", "control", "stopped", "cause", "causes", "trace"],
      "properties": {
        "id": {"type": "string", "description": "Unique in its scenario, the same in every run"},
        "type": {"type": "string", "description": "The kind of check, as `plumbline list checks` names them"},
        "from": {"type": "string"},
        "to": {"type": "string"},
        "with": {"type": "string", "description": "ping, tcp/80, udp/53"},
        "family": {"enum": ["ipv4", "ipv6", null], "description": "Of what it sends; null where it sends nothing"},
        "where": {"type": "string", "description": "file:line:column of the promise"},
        "verdict": {"$ref": "#/$defs/verdict"},
        "expected": {"type": "string"},
        "observed": {"type": "string"},
        "duration_ms": {"$ref": "#/$defs/milliseconds"},
        "journey": {"type": "array", "items": {"$ref": "#/$defs/step"}, "description": "The probe's sightings, in order"},
        "kernel": {"type": "array", "items": {"$ref": "#/$defs/event"}, "description": "What the kernels of traced nodes did with the probe, in order"},
        "incomplete": {"type": "array", "items": {"type": "string"}, "description": "Which kernels could not report all, and why: what is not under kernel may have happened all the same"},
        "frames_lost": {"type": "boolean", "description": "The capture lost frames: the probe's packets may have been where journey and kernel show nothing"},
        "conntrack": {"type": "array", "items": {"$ref": "#/$defs/tracked"}, "description": "How the nodes' conntracks know the flow of a probe that did not do what was promised, in the order of its way"},
        "control": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/control"}]},
        "stopped": {"type": ["string", "null"], "description": "Who stopped the probe or its answer, and where"},
        "cause": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/cause"}], "description": "The first of causes"},
        "causes": {"type": "array", "items": {"$ref": "#/$defs/cause"}, "description": "Why it did not pass, the most certain first"},
        "trace": {"type": ["string", "null"], "description": "Path of the pcapng"},
        "error": {"$ref": "#/$defs/error", "description": "Says again what a check with verdict error has observed, and where"}
      },
      "if": {"properties": {"verdict": {"const": "error"}}},
      "then": {"required": ["error"]},
      "else": {"not": {"required": ["error"]}}
    },
    "step": {
      "type": "object",
      "additionalProperties": false,
      "required": ["t_us", "node", "interface", "direction", "packet"],
      "properties": {
        "t_us": {"type": "integer", "description": "Microseconds since the probe was first seen"},
        "node": {"type": "string"},
        "interface": {"type": "string"},
        "direction": {"type": "string", "description": "in, out, or other-host for a frame not meant for this interface"},
        "packet": {"type": "string", "description": "The packet in one line, addresses as they are here"},
        "leg": {"enum": ["forward", "reply", "error", "neighbour"], "description": "The probe's own packet, an answer, an ICMP error about it, address resolution that it waited for"},
        "translated": {"type": "string", "description": "What is not as the packet's sender made it: source; destination; source, destination"},
        "note": {"type": "string", "description": "Checksum left to the device, segments joined, and the like"},
        "link_type": {"type": "integer", "minimum": 0, "maximum": 65535, "description": "Of bytes, as https://www.tcpdump.org/linktypes.html numbers them"},
        "length": {"$ref": "#/$defs/count", "description": "Bytes of the frame on its way"},
        "bytes": {"type": "string", "pattern": "^([0-9a-f]{2})+$", "description": "The frame's first 256 bytes, in hexadecimal"}
      },
      "dependentRequired": {"bytes": ["length", "link_type"], "length": ["bytes"], "link_type": ["bytes"]}
    },
    "event": {
      "type": "object",
      "additionalProperties": false,
      "required": ["node", "table", "chain", "rule", "after"],
      "properties": {
        "node": {"type": "string"},
        "table": {"type": "string", "description": "With its family: ip filter; empty for a hook where no rule was met"},
        "chain": {"type": "string"},
        "rule": {"type": "string", "description": "In the words of nft, or of iptables -S; policy or return at a chain's end"},
        "verdict": {"type": "string", "description": "accept, drop, reject, continue, jump CHAIN, goto CHAIN, return, queue, stolen"},
        "handle": {"$ref": "#/$defs/count", "description": "Of the rule, by nft; of iptables-legacy its number"},
        "comment": {"type": "string", "description": "The rule's own"},
        "packets": {"$ref": "#/$defs/count", "description": "That the rule's counter had counted"},
        "drop_reason": {"type": "string", "description": "The kernel's own name for it"},
        "function": {"type": "string", "description": "The kernel's function that let go of the packet"},
        "after": {"$ref": "#/$defs/count", "description": "How many steps of the journey came before it"},
        "hook": {"enum": ["prerouting", "input", "forward", "output", "postrouting", "bridge prerouting", "bridge input",
          "bridge forward", "bridge output", "bridge postrouting"]},
        "leg": {"enum": ["forward", "reply", "error"], "description": "The probe's own packet, an answer, an ICMP error about it"},
        "iif": {"type": "string", "description": "By which it came in"},
        "oif": {"type": "string", "description": "By which it leaves"},
        "log_prefix": {"type": "string", "description": "The rule logged the packet, with this prefix"},
        "packet": {"type": "string", "description": "The packet in one line, addresses as they are at this hook"}
      }
    },
    "tracked": {
      "type": "object",
      "additionalProperties": false,
      "required": ["node", "original", "reply", "answered"],
      "properties": {
        "node": {"type": "string"},
        "original": {"type": "string", "description": "192.168.99.11:4000 > 203.0.113.80:80, as its first packet came; an echo's id stands as the port"},
        "reply": {"type": "string", "description": "As an answer must come"},
        "answered": {"type": "boolean", "description": "One did"}
      }
    },
    "control": {
      "type": "object",
      "additionalProperties": false,
      "required": ["from", "to", "with", "verdict", "observed"],
      "properties": {
        "from": {"type": "string"},
        "to": {"type": "string"},
        "with": {"type": "string"},
        "verdict": {"$ref": "#/$defs/verdict"},
        "observed": {"type": "string"}
      }
    },
    "cause": {
      "type": "object",
      "additionalProperties": false,
      "required": ["code", "summary", "evidence", "fix", "proven"],
      "properties": {
        "code": {"type": "string", "description": "Stable"},
        "summary": {"type": "string"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "fix": {"type": "string", "description": "Commands, a line each"},
        "proven": {"type": "boolean", "description": "Otherwise it is only likely: nothing speaks against it"}
      }
    }
  }
}
)json";
}

}  // namespace plumbline::engine
