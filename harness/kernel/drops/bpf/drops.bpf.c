// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// Tells of the packets that the kernel drops in the namespaces that somebody watches.
//
// It runs for every packet that is dropped on this machine: what concerns nobody costs a look or two into a hash
// table. Of the kernel's types only what is read is declared; where that really is, is found out when the program
// is loaded (CO-RE).
#include <linux/bpf.h>
#include <linux/if_ether.h>

// They rest on linux/bpf.h.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "harness/kernel/drops/drop_record.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
  unsigned int inum;
};
struct net {
  struct ns_common ns;
};
typedef struct {
  struct net* net;
} possible_net_t;
struct net_device {
  possible_net_t nd_net;
  int ifindex;
};
struct sock_common {
  possible_net_t skc_net;
};
struct sock {
  struct sock_common __sk_common;
};
struct dst_entry {
  struct net_device* dev;
};
struct sk_buff {
  struct net_device* dev;
  struct sock* sk;
  unsigned long _skb_refdst;
  __be16 protocol;
  __u16 network_header;
  int skb_iif;
  unsigned int tail;
  unsigned char* head;
};
#pragma clang attribute pop

/// For the names in the kernel's own list, whatever they are there.
enum skb_drop_reason { SKB_NOT_DROPPED_YET };

/// The lowest bit of _skb_refdst says that it is not counted.
#define DST_NOREF 1UL

// The kernel has helpers that read its memory for programs under its own licence alone.
char LICENSE[] SEC("license") = "GPL";

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, kDropNamespaces);
  __type(key, __u32);
  __type(value, struct drop_listener);
} listeners SEC(".maps");

/// Apart from that table, for whoever changes this one has to wait for all CPUs (8 ms and more), and namespaces
/// come and go.
struct ring {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, kDropRingBytes);
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, kDropRings);
  __type(key, __u32);
  __array(values, struct ring);
} rings SEC(".maps");

static __always_inline struct drop_listener* find(struct net* net, __u32* netns) {
  *netns = net->ns.inum;
  return bpf_map_lookup_elem(&listeners, netns);
}

static __always_inline struct net_device* route_device(struct sk_buff* skb) {
  const struct dst_entry* dst = (const struct dst_entry*)(skb->_skb_refdst & ~DST_NOREF);
  return dst ? BPF_CORE_READ(dst, dev) : 0;
}

/// The kernel numbers namespaces from PROC_DYNAMIC_FIRST on, but for the first ones, which come just before.
static __always_inline int is_namespace(__u32 number) {
  return number >= 0xeffffff0U && number < 0xf1000000U;
}

/// In which namespace it was, by what it still has: what is on its way out has no device yet, and TCP takes it from
/// what came in. Members that share their place with others may hold anything: what they lead to is read without
/// harm, and is hardly the number of a namespace.
static __always_inline struct drop_listener* listener_of(struct sk_buff* skb, __u32* netns) {
  struct net_device* dev = skb->dev;
  struct drop_listener* listener = dev ? find(dev->nd_net.net, netns) : 0;
  if (listener || is_namespace(*netns)) return listener;
  struct sock* sk = skb->sk;
  listener = sk ? find(sk->__sk_common.skc_net.net, netns) : 0;
  if (listener || is_namespace(*netns)) return listener;
  dev = route_device(skb);
  if (!dev) return 0;
  *netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
  return bpf_map_lookup_elem(&listeners, netns);
}

static __always_inline __u32 interface_of(struct sk_buff* skb, __u32 netns) {
  struct net_device* dev = skb->dev;
  if (dev && dev->nd_net.net->ns.inum == netns) return dev->ifindex;
  if (skb->skb_iif) return skb->skb_iif;
  dev = route_device(skb);
  return dev ? BPF_CORE_READ(dev, ifindex) : 0;
}

/// Not what the rest of it is in: pages of its own.
static __always_inline void copy_packet(struct drop_record* record, struct sk_buff* skb) {
  const __u32 start = skb->network_header;
  const __u32 tail = skb->tail;
  record->length = 0;
  if (start == 0 || tail <= start) return;
  __u32 length = tail - start;
  if (length > sizeof record->packet) length = sizeof record->packet;
  if (bpf_probe_read_kernel(record->packet, length, skb->head + start) == 0) record->length = (__u8)length;
}

static __always_inline void name_reason(struct drop_record* record) {
  struct btf_ptr pointer = {
      .ptr = &record->reason,
      .type_id = bpf_core_type_id_kernel(enum skb_drop_reason),
  };
  if (bpf_snprintf_btf(record->reason_name, sizeof record->reason_name, &pointer, sizeof pointer,
                       BTF_F_COMPACT | BTF_F_NONAME) < 0)
    record->reason_name[0] = 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(tell_drop, struct sk_buff* skb, void* location, __u32 reason) {
  __u32 netns = 0;
  const __u16 protocol = bpf_ntohs(skb->protocol);
  if (protocol != ETH_P_IP && protocol != ETH_P_IPV6 && protocol != ETH_P_ARP) return 0;
  struct drop_listener* listener = listener_of(skb, &netns);
  if (!listener) return 0;

  void* ring = bpf_map_lookup_elem(&rings, &listener->ring);
  struct drop_record* record = ring ? bpf_ringbuf_reserve(ring, sizeof *record, 0) : 0;
  if (!record) {
    __sync_fetch_and_add(&listener->lost, 1);
    return 0;
  }
  record->time_ns = bpf_ktime_get_ns();
  record->netns = netns;
  record->ifindex = interface_of(skb, netns);
  record->reason = reason;
  record->protocol = protocol;
  record->sent_here = skb->skb_iif == 0;
  copy_packet(record, skb);
  name_reason(record);
  if (BPF_SNPRINTF(record->function, sizeof record->function, "%ps", location) < 0) record->function[0] = 0;
  bpf_ringbuf_submit(record, 0);
  return 0;
}
