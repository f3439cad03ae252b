#pragma once

/// What the BPF program and its readers say to each other; compiled as C and as C++.
#include <linux/types.h>

enum {
  kDropRings = 64,              ///< that can be in use at once
  kDropRingBytes = 256 * 1024,  ///< about 800 drops
  kDropNamespaces = 16 * 1024,  ///< that can be watched at once
};

/// Who hears of a namespace's drops, and how many its ring had no room for.
struct drop_listener {
  __u32 ring;
  __u32 unused;
  __u64 lost;
};

struct drop_record {
  __u64 time_ns;         ///< CLOCK_MONOTONIC
  __u32 netns;           ///< its inode number
  __u32 ifindex;         ///< 0: none
  __u32 reason;          ///< the subsystem in the upper half
  __u16 protocol;        ///< ETH_P_…
  __u8 sent_here;        ///< no interface has received it
  __u8 length;           ///< of `packet`
  char reason_name[64];  ///< "SKB_DROP_REASON_NETFILTER_DROP"
  char function[64];     ///< "nft_do_chain"; empty: not known
  __u8 packet[128];      ///< its first bytes, from the network header on
};
