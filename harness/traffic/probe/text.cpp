#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

#include "harness/traffic/probe/probe.hpp"

namespace plumbline::traffic {
namespace {

/// The words of RFC 792, 1122 and 1812.
std::optional<std::string_view> unreachable_v4(std::uint8_t code) {
  switch (code) {
    case 0:
      return "network unreachable";
    case 1:
      return "host unreachable";
    case 2:
      return "protocol unreachable";
    case 3:
      return "port unreachable";
    case 4:
      return "fragmentation needed";
    case 5:
      return "source route failed";
    case 6:
      return "network unknown";
    case 7:
      return "host unknown";
    case 9:
      return "network administratively prohibited";
    case 10:
      return "host administratively prohibited";
    case 13:
      return "communication administratively prohibited";
    default:
      return std::nullopt;
  }
}

/// The words of RFC 4443.
std::optional<std::string_view> unreachable_v6(std::uint8_t code) {
  switch (code) {
    case 0:
      return "no route to destination";
    case 1:
      return "communication administratively prohibited";
    case 2:
      return "beyond scope of source address";
    case 3:
      return "address unreachable";
    case 4:
      return "port unreachable";
    case 5:
      return "source address failed ingress/egress policy";
    case 6:
      return "reject route to destination";
    default:
      return std::nullopt;
  }
}

std::optional<std::string_view> icmp_words(const IcmpError& error) {
  if (error.v6) {
    switch (error.type) {
      case 1:
        return unreachable_v6(error.code);
      case 2:
        return "packet too big";
      case 3:
        return error.code == 0 ? "hop limit exceeded" : "fragment reassembly time exceeded";
      case 4:
        return "parameter problem";
      default:
        return std::nullopt;
    }
  }
  switch (error.type) {
    case 3:
      return unreachable_v4(error.code);
    case 11:
      return error.code == 0 ? "time to live exceeded" : "fragment reassembly time exceeded";
    case 12:
      return "parameter problem";
    default:
      return std::nullopt;
  }
}

std::string icmp_text(const std::optional<IcmpError>& error) {
  if (!error) return "ICMP error";
  const std::string_view protocol = error->v6 ? "ICMPv6" : "ICMP";
  const std::string from = error->from.to_string();
  if (const auto words = icmp_words(*error)) return fmt::format("{} {} from {}", protocol, *words, from);
  return fmt::format("{} type {} code {} from {}", protocol, error->type, error->code, from);
}

/// What says that it was too large says also what is not.
std::string with_mtu(std::string text, std::uint32_t mtu) {
  return mtu == 0 ? text : fmt::format("{} (MTU {})", text, mtu);
}

std::string kernel_text(const std::string& attempted, int error) {
  const std::string text = std::generic_category().message(error);
  return attempted.empty() ? text : attempted + ": " + text;
}

std::string answered_text(const DnsOutcome& outcome) {
  std::string text;
  for (const IpAddress& address : outcome.addresses) text += (text.empty() ? "" : ", ") + address.to_string();
  if (text.empty()) text = "answered without addresses";
  if (outcome.truncated) text += " (truncated)";
  if (!outcome.case_kept) text += " (another spelling of the name)";
  return text;
}

}  // namespace

bool is_response(const DnsOutcome& outcome) {
  using Status = DnsOutcome::Status;
  switch (outcome.status) {
    case Status::answered:
    case Status::name_error:
    case Status::server_failure:
    case Status::refused:
    case Status::other_rcode:
    case Status::malformed:
      return true;
    case Status::icmp_error:
    case Status::refused_connection:
    case Status::local_error:
    case Status::timeout:
      return false;
  }
  return false;
}

std::string to_text(const ProbeOutcome& outcome) {
  using Status = ProbeOutcome::Status;
  switch (outcome.status) {
    case Status::replied:
      return "replied";
    case Status::refused:
      return "connection refused";
    case Status::icmp_error:
      return with_mtu(icmp_text(outcome.icmp), outcome.mtu);
    case Status::local_error:
      return with_mtu(kernel_text(outcome.attempted, outcome.error_number), outcome.mtu);
    case Status::timeout:
      return "timeout";
    case Status::no_answer:
      if (outcome.error_number == 0) return "connected, but no answer";
      return "connected, but no answer: " + kernel_text({}, outcome.error_number);
  }
  return "unknown";
}

std::string to_text(const DnsOutcome& outcome) {
  using Status = DnsOutcome::Status;
  switch (outcome.status) {
    case Status::answered:
      return answered_text(outcome);
    case Status::name_error:
      return "no such name (NXDOMAIN)";
    case Status::server_failure:
      return "server failure (SERVFAIL)";
    case Status::refused:
      return "refused by the server (REFUSED)";
    case Status::other_rcode:
      return fmt::format("DNS error code {}", outcome.rcode);
    case Status::icmp_error:
      return icmp_text(outcome.icmp);
    case Status::refused_connection:
      if (outcome.error_number == 0) return "connection closed without an answer";
      return outcome.error_number == ECONNREFUSED ? "connection refused" : "connection reset";
    case Status::local_error:
      return kernel_text(outcome.attempted, outcome.error_number);
    case Status::timeout:
      return "timeout";
    case Status::malformed:
      return "malformed answer";
  }
  return "unknown";
}

}  // namespace plumbline::traffic
