#include "agent/link/append_stream.h"

#include <utility>

#include "agent/link/wire.h"
#include "common/rpc/status.h"
#include "common/runtime/logging.h"

namespace potok::agent {

AppendStream::AppendStream(const std::shared_ptr<grpc::Channel>& channel,
                           std::function<void()> broke)
    : broke_(std::move(broke)),
      stub_(v1::Agents::NewStub(channel)),
      stream_(stub_->AppendLog(&context_)),
      reader_([this] {
        NameThread("log-answers");
        ReadAnswers();
      }) {}

AppendStream::~AppendStream() {
  if (!closed_) Close().IgnoreError();
}

bool AppendStream::Write(const v1::AppendLogRequest& request) {
  return stream_->Write(request);
}

std::map<AttemptKey, std::int64_t> AppendStream::TakeAnswers() {
  MutexLock lock(mutex_);
  return std::exchange(answers_, {});
}

bool AppendStream::broken() {
  MutexLock lock(mutex_);
  return broken_;
}

absl::Status AppendStream::Close() {
  closed_ = true;
  if (!broken()) context_.TryCancel();
  reader_.join();
  return FromGrpc(stream_->Finish());
}

void AppendStream::ReadAnswers() {
  v1::AppendLogResponse answer;
  while (stream_->Read(&answer)) {
    MutexLock lock(mutex_);
    answers_[FromProto(answer.id())] = answer.stored_bytes();
  }
  {
    MutexLock lock(mutex_);
    broken_ = true;
  }
  broke_();
}

}  // namespace potok::agent
