#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

std::string report_json_schema() {
  return R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Report of plumbline run",
  "type": "object",
  "additionalProperties": false,
  "required": ["schema", "plumbline", "summary", "duration_ms", "interrupted", "scenarios"],
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
    "duration_ms": {"$ref": "#/$defs/milliseconds"},
    "interrupted": {"type": "boolean", "description": "It was ended by a signal; what had not ended by then is missing"},
    "scenarios": {"type": "array", "items": {"$ref": "#/$defs/scenario"}}
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
    "scenario": {
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "file", "setup", "build_ms", "checks_ms", "teardown_ms", "checks"],
      "properties": {
        "name": {"type": "string"},
        "file": {"type": "string", "description": "The spec's path, as it was given"},
        "setup": {"type": "string", "description": "What made the host's container networking: native, script, cni, docker, podman"},
        "build_ms": {"$ref": "#/$defs/milliseconds"},
        "checks_ms": {"$ref": "#/$defs/milliseconds"},
        "teardown_ms": {"$ref": "#/$defs/milliseconds"},
        "checks": {"type": "array", "items": {"$ref": "#/$defs/check"}},
        "error": {"$ref": "#/$defs/error", "description": "It could not be run, or not to its end"}
      }
    },
    "check": {
      "type": "object",
      "additionalProperties": false,
      "required": ["id", "type", "from", "to", "with", "verdict", "expected", "observed", "duration_ms", "journey", "kernel", "control", "cause", "trace"],
      "properties": {
        "id": {"type": "string", "description": "Unique in its scenario, the same in every run"},
        "type": {"type": "string", "description": "The kind of check: reach, deny, egress, resolve"},
        "from": {"type": "string"},
        "to": {"type": "string"},
        "with": {"type": "string", "description": "ping, tcp/80, udp/53"},
        "verdict": {"$ref": "#/$defs/verdict"},
        "expected": {"type": "string"},
        "observed": {"type": "string"},
        "duration_ms": {"$ref": "#/$defs/milliseconds"},
        "journey": {"type": "array", "items": {"$ref": "#/$defs/step"}, "description": "The probe's sightings, in order"},
        "kernel": {"type": "array", "items": {"$ref": "#/$defs/event"}},
        "control": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/control"}]},
        "cause": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/cause"}]},
        "trace": {"type": ["string", "null"], "description": "Path of the pcapng"},
        "error": {"$ref": "#/$defs/error"}
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
        "packet": {"type": "string", "description": "The packet in one line, addresses as they are here"}
      }
    },
    "event": {
      "type": "object",
      "additionalProperties": false,
      "required": ["node", "table", "chain", "rule"],
      "properties": {
        "node": {"type": "string"},
        "table": {"type": "string"},
        "chain": {"type": "string"},
        "rule": {"type": "string", "description": "In nft's own words"},
        "verdict": {"type": "string"},
        "drop_reason": {"type": "string", "description": "The kernel's own name for it"}
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
      "required": ["code", "summary", "evidence", "fix"],
      "properties": {
        "code": {"type": "string", "description": "Stable"},
        "summary": {"type": "string"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "fix": {"type": "string", "description": "Commands, a line each"}
      }
    }
  }
}
)json";
}

}  // namespace plumbline::engine
