#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <algorithm>
#include <cstring>

#include "harness/kernel/iptables_legacy/rule_text.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"

namespace plumbline::kernel::iptables {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::array<const char*, NF_INET_NUMHOOKS> kBuiltIn{"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                             "POSTROUTING"};

/// False when it would reach beyond the end.
template <class Header>
bool read_at(Bytes bytes, std::size_t offset, Header& into) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof into) return false;
  std::memcpy(&into, bytes.data() + offset, sizeof into);
  return true;
}

template <std::size_t Size>
std::string text_of(const char (&field)[Size]) {
  return {field, ::strnlen(field, Size)};
}

InterfaceMatch interface_match(const char (&name)[IFNAMSIZ], const unsigned char (&mask)[IFNAMSIZ],
                               bool inverted) {
  InterfaceMatch match;
  static_assert(IFNAMSIZ == std::tuple_size_v<decltype(match.name)>);
  std::copy(std::begin(name), std::end(name), match.name.begin());
  std::copy(std::begin(mask), std::end(mask), match.mask.begin());
  match.inverted = inverted;
  return match;
}

template <class Address>
AddressMatch address_match(const Address& address, const Address& mask, bool inverted) {
  const auto read = [](const Address& from) {
    std::array<std::uint8_t, sizeof(Address)> bytes{};
    std::memcpy(bytes.data(), &from, bytes.size());
    return IpAddress::from_bytes(bytes).value_or(IpAddress());
  };
  return {read(address), read(mask), inverted};
}

/// The two families' entries differ in their first part alone.
struct V4 {
  using Raw = ipt_entry;
  static void fill(Entry& entry, const Raw& raw) {
    const ipt_ip& ip = raw.ip;
    const auto inverted = [&](unsigned flag) { return (ip.invflags & flag) != 0; };
    entry.in = interface_match(ip.iniface, ip.iniface_mask, inverted(IPT_INV_VIA_IN));
    entry.out = interface_match(ip.outiface, ip.outiface_mask, inverted(IPT_INV_VIA_OUT));
    entry.source = address_match(ip.src, ip.smsk, inverted(IPT_INV_SRCIP));
    entry.destination = address_match(ip.dst, ip.dmsk, inverted(IPT_INV_DSTIP));
    entry.protocol = ip.proto;
    entry.protocol_inverted = inverted(IPT_INV_PROTO);
    entry.go_to = (ip.flags & IPT_F_GOTO) != 0;
  }
};
struct V6 {
  using Raw = ip6t_entry;
  static void fill(Entry& entry, const Raw& raw) {
    const ip6t_ip6& ip = raw.ipv6;
    const auto inverted = [&](unsigned flag) { return (ip.invflags & flag) != 0; };
    entry.in = interface_match(ip.iniface, ip.iniface_mask, inverted(IP6T_INV_VIA_IN));
    entry.out = interface_match(ip.outiface, ip.outiface_mask, inverted(IP6T_INV_VIA_OUT));
    entry.source = address_match(ip.src, ip.smsk, inverted(IP6T_INV_SRCIP));
    entry.destination = address_match(ip.dst, ip.dmsk, inverted(IP6T_INV_DSTIP));
    entry.protocol = ip.proto;
    entry.protocol_inverted = inverted(IP6T_INV_PROTO);
    entry.go_to = (ip.flags & IP6T_F_GOTO) != 0;
  }
};

/// One entry's place in the blob.
struct Place {
  std::size_t offset = 0, size = 0;
  std::size_t matches = 0, target = 0;  ///< offsets in the blob
  Extension to;
};

std::optional<Extension> extension_at(Bytes entries, std::size_t offset, std::size_t end) {
  // A match and a target have the same header.
  xt_entry_target header;
  if (!read_at(entries.first(end), offset, header)) return std::nullopt;
  const std::size_t size = header.u.user.target_size;
  if (size < sizeof header || size > end - offset) return std::nullopt;
  return Extension{text_of(header.u.user.name), header.u.user.revision,
                   entries.subspan(offset + sizeof header, size - sizeof header)};
}

template <class Family>
std::vector<Place> places(Bytes entries) {
  std::vector<Place> found;
  for (std::size_t offset = 0; offset < entries.size();) {
    typename Family::Raw raw;
    if (!read_at(entries, offset, raw)) break;
    if (raw.target_offset < sizeof raw || raw.next_offset < raw.target_offset) break;
    if (raw.next_offset > entries.size() - offset) break;
    Place place{offset, raw.next_offset, offset + sizeof raw, offset + raw.target_offset, {}};
    const auto target = extension_at(entries, place.target, offset + place.size);
    if (!target) break;
    place.to = *target;
    found.push_back(std::move(place));
    offset += raw.next_offset;
  }
  return found;
}

std::optional<std::string> head_of(const Place& place) {
  if (place.to.name != XT_ERROR_TARGET) return std::nullopt;
  const Bytes name = place.to.info.first(std::min<std::size_t>(place.to.info.size(), XT_FUNCTION_MAXNAMELEN));
  return std::string(name.begin(), std::find(name.begin(), name.end(), std::uint8_t{0}));
}

class Reader {
 public:
  Reader(IpFamily family, const TableInfo& info, Bytes entries)
      : family_(family), info_(info), entries_(entries) {}

  template <class Family>
  Table read() {
    const std::vector<Place> all = places<Family>(entries_);
    find_chains(all);
    for (const Place& place : all) {
      if (const auto name = head_of(place)) {
        end_user_chain();
        continue;
      }
      if (const auto begins = starts_.find(place.offset); begins != starts_.end()) begin(begins->second);
      if (chain_ != nullptr) add(place, read_entry<Family>(place));
    }
    return std::move(table_);
  }

 private:
  struct Start {
    std::string name;
    std::optional<std::size_t> policy_at;  ///< of a built-in chain
  };

  void find_chains(const std::vector<Place>& all) {
    for (std::size_t hook = 0; hook < info_.hook_entry.size(); ++hook) {
      if ((info_.valid_hooks >> hook & 1U) != 0) {
        starts_[info_.hook_entry[hook]] = {kBuiltIn[hook], info_.underflow[hook]};
      }
    }
    for (const Place& place : all) {
      // The last one, called ERROR, ends the table.
      const auto name = head_of(place);
      if (name && place.offset + place.size < entries_.size())
        starts_[place.offset + place.size] = {*name, {}};
    }
  }

  void begin(const Start& start) {
    start_ = start;
    chain_ = &table_[start.name];
  }

  /// A chain of the user's ends with a RETURN that iptables does not list.
  void end_user_chain() {
    if (chain_ != nullptr && !start_.policy_at && !chain_->rules.empty()) chain_->rules.pop_back();
    chain_ = nullptr;
  }

  void add(const Place& place, const Entry& entry) {
    Rule rule = describe(family_, start_.name, entry);
    if (start_.policy_at == place.offset) {
      chain_->policy = rule.verdict;
      chain_ = nullptr;
      return;
    }
    chain_->rules.push_back(std::move(rule));
  }

  template <class Family>
  Entry read_entry(const Place& place) const {
    Entry entry;
    typename Family::Raw raw;
    if (read_at(entries_, place.offset, raw)) Family::fill(entry, raw);
    for (std::size_t offset = place.matches; offset < place.target;) {
      const auto match = extension_at(entries_, offset, place.target);
      if (!match) break;
      offset += sizeof(xt_entry_target) + match->info.size();
      entry.matches.push_back(*match);
    }
    entry.target = place.to;
    if (entry.is_standard()) entry.standard = standard_text(place);
    return entry;
  }

  /// A verdict is negative, or the offset of the entry to go on with.
  std::string standard_text(const Place& place) const {
    std::int32_t verdict = 0;
    if (!read_at(place.to.info, 0, verdict)) return {};
    if (verdict >= 0) {
      const auto offset = static_cast<std::size_t>(verdict);
      if (offset == place.offset + place.size) return {};
      const auto found = starts_.find(offset);
      return found == starts_.end() ? std::string() : found->second.name;
    }
    switch (-(std::int64_t{verdict} + 1)) {
      case NF_DROP:
        return "DROP";
      case NF_ACCEPT:
        return "ACCEPT";
      case NF_QUEUE:
        return "QUEUE";
      case NF_REPEAT:  // XT_RETURN
        return "RETURN";
      default:
        return {};
    }
  }

  IpFamily family_;
  const TableInfo& info_;
  Bytes entries_;
  std::map<std::size_t, Start> starts_;
  Table table_;
  Start start_;
  Chain* chain_ = nullptr;
};

}  // namespace

Table parse_table(IpFamily family, const TableInfo& info, Bytes entries) {
  Reader reader(family, info, entries);
  return family == IpFamily::v4 ? reader.read<V4>() : reader.read<V6>();
}

}  // namespace plumbline::kernel::iptables
