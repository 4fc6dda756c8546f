#include "client/cli/transfer_report.h"

#include <ostream>
#include <utility>

#include "absl/time/clock.h"
#include "client/cli/text/printable.h"
#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::client {

TransferReport::TransferReport(const Context& context, std::string what)
    : context_(context), what_(std::move(what)), next_(absl::Now() + absl::Seconds(1)) {}

TransferReport::~TransferReport() {
  if (said_ && context_.err_is_terminal) *context_.err << "\r\x1b[K" << std::flush;
}

void TransferReport::Say(const TransferProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (context_.only_errors || absl::Now() < next_) return;
  next_ = absl::Now() + (context_.err_is_terminal ? absl::Milliseconds(200) : absl::Seconds(5));
  said_ = true;
  const std::string text = fmt::format("{}: {} of {}",
                                       Printable(what_),
                                       FormatBytes(progress.bytes_done),
                                       FormatBytes(progress.bytes_total));
  if (context_.err_is_terminal) {
    *context_.err << "\r\x1b[K" << text << std::flush;
  } else {
    *context_.err << text << std::endl;
  }
}

}  // namespace potok::client
