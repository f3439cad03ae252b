#include "harness/network/setup/engine/image.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string_view>

#include "harness/base/error.hpp"

namespace plumbline::network {
namespace {

constexpr std::size_t kBlock = 512;

/// The header of POSIX.1-1988 (ustar).
struct Header {
  std::array<char, 100> name;
  std::array<char, 8> mode;
  std::array<char, 8> uid;
  std::array<char, 8> gid;
  std::array<char, 12> size;
  std::array<char, 12> mtime;
  std::array<char, 8> checksum;
  char type;
  std::array<char, 100> link;
  std::array<char, 6> magic;
  std::array<char, 2> version;
  std::array<char, 247> rest;
};
static_assert(sizeof(Header) == kBlock);

template <std::size_t N>
void put(std::array<char, N>& field, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), N), field.begin());
}

enum class Type : char { file = '0', link = '2', folder = '5' };

void add(std::string& tar, std::string_view name, Type type, std::string_view content,
         std::string_view link = {}) {
  Header header{};
  put(header.name, name);
  put(header.mode, "0000755");
  put(header.uid, "0000000");
  put(header.gid, "0000000");
  put(header.size, fmt::format("{:011o}", content.size()));
  put(header.mtime, "00000000000");
  put(header.checksum, "        ");
  header.type = static_cast<char>(type);
  put(header.link, link);
  put(header.magic, "ustar");
  put(header.version, "00");
  std::array<unsigned char, kBlock> bytes{};
  std::memcpy(bytes.data(), &header, kBlock);
  put(header.checksum, fmt::format("{:06o}", std::accumulate(bytes.begin(), bytes.end(), 0U)));
  header.checksum[6] = '\0';
  std::array<char, kBlock> block{};
  std::memcpy(block.data(), &header, kBlock);
  tar.append(block.data(), kBlock);
  tar.append(content);
  tar.append((kBlock - content.size() % kBlock) % kBlock, '\0');
}

}  // namespace

std::optional<bool> is_static(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header{};
  std::array<char, sizeof(header)> bytes{};
  if (!file.read(bytes.data(), bytes.size())) return std::nullopt;
  std::memcpy(&header, bytes.data(), bytes.size());
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  // Of 32 bits: not looked into. Then the container says so itself, by not starting.
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return true;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    file.seekg(static_cast<std::streamoff>(header.e_phoff) + i * header.e_phentsize);
    Elf64_Phdr segment{};
    std::array<char, sizeof(segment)> part{};
    if (!file.read(part.data(), part.size())) return std::nullopt;
    std::memcpy(&segment, part.data(), part.size());
    if (segment.p_type == PT_INTERP) return false;
  }
  return true;
}

std::string image_tar(const std::string& busybox) {
  std::ifstream file(busybox, std::ios::binary);
  const std::string program{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (program.empty()) throw Error::from_errno(errno, "reading " + busybox);
  std::string tar;
  for (const char* folder : {"bin/", "dev/", "etc/", "proc/", "run/", "sys/", "tmp/"}) {
    add(tar, folder, Type::folder, {});
  }
  add(tar, "bin/busybox", Type::file, program);
  add(tar, "bin/sh", Type::link, {}, "busybox");
  tar.append(2 * kBlock, '\0');
  return tar;
}

}  // namespace plumbline::network
