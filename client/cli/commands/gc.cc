#include "client/cli/commands/command.h"
#include "client/cli/text/value.h"
#include "client/potok_client/admin_client.h"
#include "common/base/age.h"
#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct GcOptions {
  CommonOptions common;
  bool dry_run = false;
  std::string unused_for = "24h";
};

Value GcObject(const v1::CollectGarbageProgress& done) {
  return Value(Object{{"dry_run", done.dry_run()},
                      {"runs_ended", done.runs_ended()},
                      {"freed_blobs", done.freed_blobs()},
                      {"freed_bytes", done.freed_bytes()},
                      {"spared_blobs", done.spared_blobs()},
                      {"spared_bytes", done.spared_bytes()},
                      {"freed_logs", done.freed_logs()},
                      {"freed_log_bytes", done.freed_log_bytes()},
                      {"blobs", done.blobs()},
                      {"bytes", done.bytes()},
                      {"roots", done.roots()},
                      {"folders", done.folders()}});
}

std::string GcText(const v1::CollectGarbageProgress& done, const std::string& unused_for) {
  const std::int64_t left = done.bytes() - done.freed_bytes();
  std::string text = fmt::format("{} {} in {} blobs and the logs of {} runs; {} {}\n",
                                 done.dry_run() ? "Would free" : "Freed",
                                 FormatBytes(done.freed_bytes() + done.freed_log_bytes()),
                                 done.freed_blobs(),
                                 done.freed_logs(),
                                 FormatBytes(left),
                                 done.dry_run() ? "would stay" : "stay");
  if (done.runs_ended() > 0) {
    text += fmt::format("The retention of {} runs {}\n",
                        done.runs_ended(),
                        done.dry_run() ? "has ended; their outputs and logs would go"
                                       : "has ended; their outputs and logs are not kept any more");
  }
  if (done.spared_bytes() > 0) {
    text += fmt::format("{} more are named by nothing, but were used in the last {}\n",
                        FormatBytes(done.spared_bytes()),
                        unused_for);
  }
  return text;
}

int RunGc(Session& session, const GcOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<absl::Duration> unused_for = ParseAge(options.unused_for);
  if (!unused_for.ok()) return Complain(context, unused_for.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const auto said = [&](const v1::CollectGarbageProgress& now) {
    if (!context.err_is_terminal || context.only_errors) return;
    *context.err << fmt::format("\r\033[K{}: {} artifacts, {} folders; {} blobs, {} to free",
                                now.phase(),
                                now.roots(),
                                now.folders(),
                                now.blobs(),
                                FormatBytes(now.freed_bytes()))
                 << (now.done() ? "\r\033[K" : "") << std::flush;
  };
  v1::CollectGarbageRequest request;
  request.set_dry_run(options.dry_run);
  request.set_unused_for_us(absl::ToInt64Microseconds(*unused_for));
  const absl::StatusOr<v1::CollectGarbageProgress> done =
      CollectGarbage(connection->channel(), request, said, context.interrupted);
  if (!done.ok()) return Complain(context, done.status());
  return PrintObject(context, options.common, DefaultOutput::kForPeople, GcObject(*done), [&] {
    return GcText(*done, options.unused_for);
  });
}

}  // namespace

void AddGc(CLI::App& app, Session& session) {
  const auto options = std::make_shared<GcOptions>();
  CommandOptions gc = AddCommand(app,
                                 session,
                                 "gc",
                                 "Free the bytes that no run, asset or result names any more",
                                 "potok gc --dry-run",
                                 options,
                                 RunGc);
  gc.Flag("--dry-run", "Only say what would go", &options->dry_run);
  gc.Text("--unused-for",
          "AGE",
          "Spare what was stored or asked for since (30d, 24h, 10m; default 24h)",
          &options->unused_for);
  AddServerOptions(gc, &options->common);
  AddOutputOptions(gc, session, &options->common);
}

}  // namespace potok::client
