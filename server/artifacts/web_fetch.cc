#include "server/artifacts/web_fetch.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/cas/retry.h"
#include "fmt/format.h"
#include "server/artifacts/web_address.h"
#include "server/artifacts/web_response.h"

namespace potok::server {

namespace {

constexpr long kRedirectsMax = 10;
// How long a source that has not given a byte yet is tried.
constexpr absl::Duration kFirstPatience = absl::Seconds(1);

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Lines = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// One file on its way, over all tries.
class Fetch {
 public:
  Fetch(WebAddress address,
        const WebOptions& options,
        BlobStore::Intake& intake,
        std::string condition,
        const std::function<bool()>& is_wanted)
      : address_(std::move(address)),
        options_(options),
        intake_(intake),
        condition_(std::move(condition)),
        is_wanted_(is_wanted),
        network_(options) {}

  absl::Status Run();
  // After Run was OK: the source has what the condition asked for, and gave nothing.
  bool is_unchanged() const { return response_.code == 304; }
  std::string ConditionOfNext() const { return response_.ConditionOfNext(); }

 private:
  absl::Status TryOnce();
  void Configure(CURL* easy);
  absl::Status Explain(CURLcode code, long http_code);
  absl::Status ExplainHttp(long http_code) const;
  absl::Status Problem(absl::StatusCode code,
                       const std::string& what,
                       const std::string& next) const;
  absl::Status TooLarge(std::int64_t bytes) const;
  absl::Status LedHere() const;
  absl::Status BeginBody();
  absl::Status Take(const char* data, std::size_t size);

  static std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t OnData(char* data, std::size_t, std::size_t size, void* self);
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  const WebAddress address_;
  const WebOptions& options_;
  BlobStore::Intake& intake_;
  const std::string condition_;  // a line of the request, or empty
  const std::function<bool()>& is_wanted_;
  WebNetwork network_;

  std::string validator_;  // of what intake_ holds
  // Of the current try.
  WebResponse response_;
  bool in_body_ = false;
  absl::Status failed_;  // on our side
  std::array<char, CURL_ERROR_SIZE> curl_says_{};
};

absl::Status Fetch::Problem(absl::StatusCode code,
                            const std::string& what,
                            const std::string& next) const {
  return absl::Status(code, fmt::format("cannot fetch {}: {}; {}", address_.shown, what, next));
}

absl::Status Fetch::TooLarge(std::int64_t bytes) const {
  return Problem(absl::StatusCode::kResourceExhausted,
                 fmt::format("it has {} or more, and the server takes at most {}",
                             FormatBytes(bytes),
                             FormatBytes(options_.bytes_max)),
                 "raise --http_bytes_max of potok-server, or put the file into a datastore");
}

absl::Status Fetch::LedHere() const {
  return Problem(
      absl::StatusCode::kPermissionDenied,
      fmt::format("it leads to {}, an address of the server's own machine or link",
                  network_.refused()),
      "download it and give the local path, or start potok-server with --http_local_sources");
}

std::size_t Fetch::OnHeader(char* data, std::size_t, std::size_t size, void* self) {
  static_cast<Fetch*>(self)->response_.AddLine(std::string(data, size));
  return size;
}

std::size_t Fetch::OnData(char* data, std::size_t, std::size_t size, void* self) {
  auto& fetch = *static_cast<Fetch*>(self);
  fetch.failed_ = fetch.Take(data, size);
  return fetch.failed_.ok() ? size : 0;
}

int Fetch::OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& fetch = *static_cast<Fetch*>(self);
  if (!fetch.is_wanted_ || fetch.is_wanted_()) return 0;
  fetch.failed_ = absl::CancelledError("the submission was given up");
  return 1;
}

absl::Status Fetch::BeginBody() {
  in_body_ = true;
  // A source that has something else now, or cannot go on, sends the whole.
  const bool goes_on = response_.code == 206 && response_.range_begin == intake_.bytes();
  if (!goes_on && intake_.bytes() > 0) POTOK_RETURN_IF_ERROR(intake_.Restart());
  if (response_.code == 206 && !goes_on) {
    return absl::InternalError("the source sent another part than it was asked for");
  }
  validator_ = response_.Validator();
  const std::int64_t whole = intake_.bytes() + std::max<std::int64_t>(response_.length, 0);
  if (options_.bytes_max > 0 && whole > options_.bytes_max) return TooLarge(whole);
  return absl::OkStatus();
}

absl::Status Fetch::Take(const char* data, std::size_t size) {
  if (!in_body_) POTOK_RETURN_IF_ERROR(BeginBody());
  const std::int64_t whole = intake_.bytes() + static_cast<std::int64_t>(size);
  if (options_.bytes_max > 0 && whole > options_.bytes_max) return TooLarge(whole);
  return intake_.Append(data, size);
}

void Fetch::Configure(CURL* easy) {
  const bool is_https = absl::AsciiStrToLower(address_.url.substr(0, 8)) == "https://";
  curl_easy_setopt(easy, CURLOPT_URL, address_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kRedirectsMax);
  curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "potok-server");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_says_.data());
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L * 1024);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Fetch::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Fetch::OnData);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Fetch::OnProgress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  network_.Configure(easy);
}

absl::Status Fetch::TryOnce() {
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  response_ = WebResponse();
  in_body_ = false;
  failed_ = absl::OkStatus();
  curl_says_[0] = '\0';
  Configure(easy.get());
  Lines lines(nullptr, &curl_slist_free_all);
  if (intake_.bytes() > 0 && !validator_.empty()) {
    lines.reset(curl_slist_append(nullptr, ("If-Range: " + validator_).c_str()));
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, lines.get());
    curl_easy_setopt(easy.get(), CURLOPT_RANGE, fmt::format("{}-", intake_.bytes()).c_str());
  } else if (!condition_.empty()) {
    lines.reset(curl_slist_append(nullptr, condition_.c_str()));
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, lines.get());
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (!network_.refused().empty()) failed_ = LedHere();
  if (!failed_.ok()) return failed_;
  long http_code = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &http_code);
  if (code != CURLE_OK) return Explain(code, http_code);
  if (http_code == 304 && !condition_.empty() && intake_.bytes() == 0) return absl::OkStatus();
  if (http_code != 200 && http_code != 206) return ExplainHttp(http_code);
  // An empty file has no data to begin with.
  return in_body_ ? absl::OkStatus() : BeginBody();
}

absl::Status Fetch::ExplainHttp(long http_code) const {
  const std::string what = fmt::format("the source answered {}", http_code);
  switch (http_code) {
    case 404:
    case 410:
      return Problem(absl::StatusCode::kNotFound, what + " (not found)", "check the address");
    case 401:
    case 403:
    case 407:
      return Problem(
          absl::StatusCode::kPermissionDenied,
          what + " (not allowed)",
          "check the credentials in the address, or download it and give the local path");
    case 416:  // what is there now is shorter than what we have: from the start
    case 408:
    case 429:
      return Problem(absl::StatusCode::kInternal, what, "try again later");
    default:
      break;
  }
  if (http_code >= 500) return Problem(absl::StatusCode::kInternal, what, "try again later");
  return Problem(absl::StatusCode::kInvalidArgument, what, "check the address");
}

absl::Status Fetch::Explain(CURLcode code, long http_code) {
  const std::string why = curl_says_[0] != '\0' ? curl_says_.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
      if (http_code == 416) POTOK_RETURN_IF_ERROR(intake_.Restart());
      return ExplainHttp(http_code);
    case CURLE_PARTIAL_FILE:
      return Problem(absl::StatusCode::kInternal,
                     fmt::format("the source ended it at {} bytes, before what it announced ({})",
                                 intake_.bytes(),
                                 why),
                     "try again, or download it and give the local path");
    case CURLE_TOO_MANY_REDIRECTS:
      return Problem(absl::StatusCode::kFailedPrecondition,
                     fmt::format("it was redirected more than {} times", kRedirectsMax),
                     "give the address where the file lies");
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Problem(absl::StatusCode::kFailedPrecondition,
                     "it was redirected to what is neither https nor, from http, http",
                     "give the address where the file lies");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return Problem(absl::StatusCode::kFailedPrecondition,
                     fmt::format("its certificate is not trusted ({})", why),
                     "name the file of the authority that signed it with --http_ca_file of "
                     "potok-server");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return Problem(absl::StatusCode::kUnavailable,
                     why,
                     "is the address right, and can the server's machine reach it? A proxy is "
                     "--http_proxy of potok-server, or http_proxy in its environment");
    default:
      // curl's words about what the source did in the middle.
      return Problem(absl::StatusCode::kUnavailable, why, "try again later");
  }
}

absl::Status Fetch::Run() {
  Retry first(kFirstPatience);
  Retry later(options_.patience);
  std::int64_t farthest = 0;
  for (;;) {
    if (intake_.bytes() > 0 && validator_.empty()) POTOK_RETURN_IF_ERROR(intake_.Restart());
    const absl::Status tried = TryOnce();
    if (tried.ok() || (!failed_.ok() && !absl::IsInternal(failed_))) return tried;
    const bool has_moved = intake_.bytes() > farthest;
    farthest = std::max(farthest, intake_.bytes());
    if (has_moved) later.Moved();
    if ((farthest > 0 ? later : first).Again(tried)) continue;
    if (!absl::IsInternal(tried)) return tried;
    return absl::Status(farthest > 0 ? absl::StatusCode::kDataLoss : absl::StatusCode::kUnavailable,
                        tried.message());
  }
}

}  // namespace

absl::StatusOr<WebFile> FetchFromWeb(const std::string& url,
                                     const WebOptions& options,
                                     BlobStore& blobs,
                                     const WebFile* known,
                                     const std::function<bool()>& is_wanted) {
  POTOK_RETURN_IF_ERROR(WebNetwork::Prepare());
  POTOK_ASSIGN_OR_RETURN(WebAddress address, ParseWebAddress(url));
  POTOK_ASSIGN_OR_RETURN(const auto intake, blobs.BeginIntake());
  WebFile file;
  file.artifact.file_name = address.file_name;
  const std::string condition = known == nullptr ? "" : known->condition;
  Fetch fetch(std::move(address), options, *intake, condition, is_wanted);
  POTOK_RETURN_IF_ERROR(fetch.Run());
  if (fetch.is_unchanged()) return *known;
  POTOK_ASSIGN_OR_RETURN(file.artifact.digest, intake->Finish());
  file.artifact.total_bytes = file.artifact.digest.size_bytes;
  file.condition = fetch.ConditionOfNext();
  return file;
}

}  // namespace potok::server
