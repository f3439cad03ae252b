#include <fcntl.h>
#include <fmt/format.h>
#include <nftables/libnftables.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

/// The text as a file without a name: for a buffer libnftables shows its first line below every error,
/// whichever line the error is in.
Fd as_file(std::string_view text) {
  Fd file(::memfd_create("plumbline-nft", MFD_CLOEXEC));
  if (!file) throw Error::from_errno(errno, "making a memory file");
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

/// While it lives, nothing is written to standard error: libnftables' help for iptables-nft (its xt.c) says
/// there, past every buffer and flag, which of iptables' extensions it cannot translate. Such a rule is
/// listed all the same, as `xt target "NAME"`. For the whole process, so only around a call that does not
/// wait.
class MutedErrors {
 public:
  MutedErrors() : kept_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) {
    const Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (kept_ && nowhere) ::dup2(nowhere.get(), STDERR_FILENO);
  }
  MutedErrors(const MutedErrors&) = delete;
  MutedErrors& operator=(const MutedErrors&) = delete;
  ~MutedErrors() {
    if (kept_) ::dup2(kept_.get(), STDERR_FILENO);
  }

 private:
  Fd kept_;
};

bool is_privilege(const std::string& text) {
  return text.find("Operation not permitted") != std::string::npos;
}

struct Output {
  bool ok = false;
  std::string text;  ///< or what libnftables has to say against it
};

Output run_listing(const Netns& netns, const std::string& command, ListCounters counters) {
  const Netns::Entered inside(netns);
  const Context context = make_context();
  unsigned flags = NFT_CTX_OUTPUT_HANDLE;
  if (counters == ListCounters::no) flags |= NFT_CTX_OUTPUT_STATELESS;
  nft_ctx_output_set_flags(context.get(), flags);
  const MutedErrors muted;
  if (nft_run_cmd_from_buffer(context.get(), command.c_str()) != 0) {
    return {false, trimmed(nft_ctx_get_error_buffer(context.get()))};
  }
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
