#include <fcntl.h>
#include <fmt/format.h>
#include <nftables/libnftables.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

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

std::string list_text(const Netns& netns, ListCounters counters) {
  const Netns::Entered inside(netns);
  const Context context = make_context();
  unsigned flags = NFT_CTX_OUTPUT_HANDLE;
  if (counters == ListCounters::no) flags |= NFT_CTX_OUTPUT_STATELESS;
  nft_ctx_output_set_flags(context.get(), flags);
  const MutedErrors muted;
  if (nft_run_cmd_from_buffer(context.get(), "list ruleset") != 0) {
    const std::string message = trimmed(nft_ctx_get_error_buffer(context.get()));
    const Error error("listing the nftables ruleset: " + message);
    throw is_privilege(message) ? error.with_kind(ErrorKind::environment) : error;
  }
  return nft_ctx_get_output_buffer(context.get());
}

}  // namespace plumbline::kernel::nft
