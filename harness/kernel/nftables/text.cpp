#include <fcntl.h>
#include <fmt/format.h>
#include <nftables/libnftables.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::kernel::nft {
namespace {

using Context = std::unique_ptr<nft_ctx, void (*)(nft_ctx*)>;

/// Its netlink socket is made here, so the thread must be inside the namespace, and stay for interface names.
Context make_context() {
  Context context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
  if (!context || nft_ctx_buffer_error(context.get()) != 0 || nft_ctx_buffer_output(context.get()) != 0) {
    throw Error("libnftables could not be started");
  }
  return context;
}

Fd memory_file() {
  Fd file(::memfd_create("plumbline-nft", MFD_CLOEXEC));
  if (!file) throw Error::from_errno(errno, "making a memory file");
  return file;
}

/// The text as a file without a name: for a buffer libnftables shows its first line below every error,
/// whichever line the error is in.
Fd as_file(std::string_view text) {
  Fd file = memory_file();
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(file.get(), text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) throw Error::from_errno(errno, "writing a memory file");
    done += static_cast<std::size_t>(wrote);
  }
  return file;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// All that was written to a file.
std::string contents(const Fd& file) {
  std::string text;
  char part[4096];
  for (off_t at = 0;;) {
    const ssize_t size = ::pread(file.get(), part, sizeof part, at);
    if (size <= 0) return text;
    text.append(part, static_cast<std::size_t>(size));
    at += size;
  }
}

/// While it lives, what is written to standard error goes to a file: libnftables' help for iptables-nft (its
/// xt.c) says there, past every buffer and flag, which of iptables' extensions it does not know. For the
/// whole process, so only around a call that does not wait.
class DivertedErrors {
 public:
  explicit DivertedErrors(const Fd& to) : kept_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) {
    if (kept_) ::dup2(to.get(), STDERR_FILENO);
  }
  DivertedErrors(const DivertedErrors&) = delete;
  DivertedErrors& operator=(const DivertedErrors&) = delete;
  ~DivertedErrors() {
    if (kept_) ::dup2(kept_.get(), STDERR_FILENO);
  }

 private:
  Fd kept_;
};

constexpr std::string_view kUnknown = "XT target ";
constexpr std::string_view kUnknownEnd = " not found\n";

/// "XT target MASQUERADE not found\n", said where the target should stand, becomes `xt target "MASQUERADE"`;
/// lines about who manages a table go.
std::string with_targets_named(std::string_view mixed) {
  std::string text;
  bool at_start = true;
  while (!mixed.empty()) {
    const std::size_t end = mixed.find(kUnknownEnd);
    if (at_start && mixed.starts_with("# ")) {
      mixed.remove_prefix(std::min(mixed.find('\n'), mixed.size() - 1) + 1);
    } else if (mixed.starts_with(kUnknown) && end != std::string_view::npos) {
      text += fmt::format("xt target \"{}\"", mixed.substr(kUnknown.size(), end - kUnknown.size()));
      mixed.remove_prefix(end + kUnknownEnd.size());
      at_start = false;
    } else {
      at_start = mixed.front() == '\n';
      text += mixed.front();
      mixed.remove_prefix(1);
    }
  }
  return text;
}

bool is_privilege(const std::string& text) {
  return text.find("Operation not permitted") != std::string::npos;
}

struct Output {
  bool ok = false;
  std::string text;  ///< or what libnftables has to say against it
};

/// The listing and what is said to standard error in the order in which they are written.
Output list_with_errors(const Context& context, const std::string& command) {
  const Fd both = memory_file();
  const std::unique_ptr<FILE, int (*)(FILE*)> file(::fdopen(::dup(both.get()), "w"), ::fclose);
  if (!file) throw Error::from_errno(errno, "opening a memory file");
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  nft_ctx_unbuffer_output(context.get());
  FILE* const former = nft_ctx_set_output(context.get(), file.get());
  int failed = 0;
  {
    const DivertedErrors diverted(both);
    failed = nft_run_cmd_from_buffer(context.get(), command.c_str());
  }
  nft_ctx_set_output(context.get(), former);
  if (failed != 0) return {false, trimmed(nft_ctx_get_error_buffer(context.get()))};
  return {true, with_targets_named(contents(both))};
}

Output run_listing(const Netns& netns, const std::string& command, ListCounters counters) {
  const Netns::Entered inside(netns);
  const Context context = make_context();
  unsigned flags = NFT_CTX_OUTPUT_HANDLE;
  if (counters == ListCounters::no) flags |= NFT_CTX_OUTPUT_STATELESS;
  nft_ctx_output_set_flags(context.get(), flags);
  const Fd errors = memory_file();
  {
    const DivertedErrors diverted(errors);
    if (nft_run_cmd_from_buffer(context.get(), command.c_str()) != 0) {
      return {false, trimmed(nft_ctx_get_error_buffer(context.get()))};
    }
  }
  // It found the extension for the one family and not for the other, and lists the rule as if it did nothing.
  if (contents(errors).find(kUnknown) != std::string::npos) return list_with_errors(context, command);
  return {true, nft_ctx_get_output_buffer(context.get())};
}

[[noreturn]] void refuse(const std::string& attempted, const std::string& message) {
  const Error error(attempted + ": " + message);
  throw is_privilege(message) ? error.with_kind(ErrorKind::environment) : error;
}

/// Whether nft's scanner takes it for one word. The kernel takes any bytes for a name: others would end the
/// command, and begin another.
bool is_word(std::string_view text) {
  const auto begins = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
  };
  const auto goes_on = [&](char c) { return begins(c) || (c >= '0' && c <= '9') || c == '/' || c == '-'; };
  return !text.empty() && begins(text.front()) && std::ranges::all_of(text, goes_on);
}

}  // namespace

void load_text(const Netns& netns, std::string_view text, const std::string& origin) {
  if (text.find('\0') != std::string_view::npos)
    throw Error(origin + ": a NUL in nft text", ErrorKind::usage);
  const Fd file = as_file(text);
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  const Netns::Entered inside(netns);
  const Context context = make_context();
  if (nft_run_cmd_from_filename(context.get(), path.c_str()) == 0) return;
  std::string message = trimmed(nft_ctx_get_error_buffer(context.get()));
  replace_all(message, path, origin);
  if (message.empty()) message = origin + ": refused without a reason";
  throw Error(message, is_privilege(message) ? ErrorKind::environment : ErrorKind::usage);
}

std::string list_text(const Netns& netns, ListCounters counters, const std::string& family) {
  const Output listed = run_listing(netns, "list ruleset " + family, counters);
  if (!listed.ok) refuse("listing the nftables ruleset", listed.text);
  return listed.text;
}

std::optional<std::string> list_chain_text(const Netns& netns, const std::string& family,
                                           const std::string& table, const std::string& chain,
                                           ListCounters counters) {
  if (!is_word(family) || !is_word(table) || !is_word(chain)) return std::nullopt;
  Output listed = run_listing(netns, fmt::format("list chain {} {} {}", family, table, chain), counters);
  if (listed.ok) return std::move(listed.text);
  const auto says = [&](const char* what) { return listed.text.find(what) != std::string::npos; };
  if (says("syntax error")) return std::nullopt;
  // Also said of a chain inside a rule (`jump { ... }`), which is listed as part of that rule only.
  if (says("No such file or directory")) return std::string();
  refuse(fmt::format("listing the nftables chain {} {} {}", family, table, chain), listed.text);
}

}  // namespace plumbline::kernel::nft
