#pragma once

#include <string_view>

#include "harness/kernel/counters/counters.hpp"

/// Private to this folder: the kernel's text. Pure; what is no counter is passed over, whatever the text.
/// What is no count but a setting or a momentary number (CurrEstab) is left out.
namespace plumbline::kernel::counters {

/// /proc/net/snmp and netstat: lines in pairs, names and values, each after the group ("Ip: ").
void parse_snmp(std::string_view text, Counters& into);
/// /proc/net/snmp6: a name and a value on each line.
void parse_snmp6(std::string_view text, Counters& into);
/// /proc/net/stat/nf_conntrack: a line of names, then one of hexadecimal values for each CPU, which are added
/// up.
void parse_conntrack(std::string_view text, Counters& into);

}  // namespace plumbline::kernel::counters
