#include "server/rpc/admin_service.h"

#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "common/runtime/logging.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

v1::CollectGarbageProgress ToProto(const Collected& collected, bool dry_run) {
  v1::CollectGarbageProgress out;
  out.set_phase(collected.phase);
  out.set_dry_run(dry_run);
  out.set_runs_ended(collected.runs_ended);
  out.set_roots(collected.roots);
  out.set_folders(collected.folders);
  out.set_blobs(collected.blobs);
  out.set_bytes(collected.bytes);
  out.set_freed_blobs(collected.freed_blobs);
  out.set_freed_bytes(collected.freed_bytes);
  out.set_spared_blobs(collected.spared_blobs);
  out.set_spared_bytes(collected.spared_bytes);
  out.set_freed_logs(collected.freed_logs);
  out.set_freed_log_bytes(collected.freed_log_bytes);
  return out;
}

// Runs it on a thread of its own, for when nobody else wants the processor: the calling thread
// serves other calls later.
void RunUnimportant(const std::function<void()>& work) {
  std::thread thread([&work] {
    NameThread("gc");
    constexpr int kNicest = 19;
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNicest);
    work();
  });
  thread.join();
}

}  // namespace

void AdminService::SetHttpAddress(const std::string& address) {
  MutexLock lock(mutex_);
  http_address_ = address;
}

grpc::Status AdminService::CreateWebLink(grpc::ServerContext* /*context*/,
                                         const v1::CreateWebLinkRequest* /*request*/,
                                         v1::CreateWebLinkResponse* response) {
  MutexLock lock(mutex_);
  if (http_address_.empty()) {
    return ToGrpc(absl::UnavailableError("the HTTP port is not open yet; try again in a second"));
  }
  response->set_url(fmt::format("http://{}/login?code={}", http_address_, make_code_()));
  response->set_expires_us(absl::ToUnixMicros(absl::Now() + code_life_));
  return grpc::Status::OK;
}

grpc::Status AdminService::CollectGarbage(grpc::ServerContext* context,
                                          const v1::CollectGarbageRequest* request,
                                          grpc::ServerWriter<v1::CollectGarbageProgress>* writer) {
  CollectionOptions options;
  options.dry_run = request->dry_run();
  if (request->unused_for_us() != 0) {
    options.unused_for = absl::Microseconds(request->unused_for_us());
  }
  absl::StatusOr<Collected> collected = absl::InternalError("not begun");
  RunUnimportant([&] {
    collected = collector_.Collect(options, [&](const Collected& now) {
      return !context->IsCancelled() && writer->Write(ToProto(now, options.dry_run));
    });
  });
  if (!collected.ok()) return ToGrpc(collected.status());
  v1::CollectGarbageProgress last = ToProto(*collected, options.dry_run);
  last.set_done(true);
  writer->Write(last);
  return grpc::Status::OK;
}

}  // namespace potok::server
