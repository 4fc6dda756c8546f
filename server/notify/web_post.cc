#include "server/notify/web_post.h"

#include <curl/curl.h>

#include <array>
#include <memory>

#include "fmt/format.h"

namespace potok::server {

namespace {

using Kind = Outcome::Kind;

// Of an answer so much is looked at, though nothing is done with it.
constexpr std::size_t kAnswerBytesMax = 64 << 10;

struct PostState {
  const std::function<bool()>& is_wanted;
  std::size_t answer_bytes = 0;
  bool is_stopped = false;
};

std::size_t OnAnswer(char* /*data*/, std::size_t, std::size_t size, void* self) {
  auto& state = *static_cast<PostState*>(self);
  state.answer_bytes += size;
  return state.answer_bytes <= kAnswerBytesMax ? size : 0;
}

int OnPostProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& state = *static_cast<PostState*>(self);
  state.is_stopped = !state.is_wanted();
  return state.is_stopped ? 1 : 0;
}

Outcome Judged(long http_code) {
  if (http_code < 300) return {Kind::kDelivered, ""};
  const std::string error = fmt::format("it answered {}", http_code);
  if (http_code < 400) return {Kind::kRefused, error + "; redirects are not followed"};
  const bool may_succeed =
      http_code >= 500 || http_code == 408 || http_code == 425 || http_code == 429;
  return {may_succeed ? Kind::kFailed : Kind::kRefused, error};
}

void ConfigurePost(CURL* easy, const WebPost& post, absl::Duration timeout, PostState* state) {
  curl_easy_setopt(easy, CURLOPT_URL, post.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "potok-server");
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnAnswer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, state);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &OnPostProgress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, state);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeout)));
}

}  // namespace

Outcome Post(const WebPost& post,
             const WebOptions& options,
             absl::Duration timeout,
             const std::function<bool()>& is_wanted) {
  if (const absl::Status ready = WebNetwork::Prepare(); !ready.ok()) {
    return {Kind::kFailed, std::string(ready.message())};
  }
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> lines(
      curl_slist_append(nullptr, "Content-Type: application/json"), &curl_slist_free_all);
  for (const std::string& header : post.headers) {
    curl_slist_append(lines.get(), header.c_str());
  }
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, lines.get());
  std::array<char, CURL_ERROR_SIZE> said{};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, said.data());
  PostState state{is_wanted};
  ConfigurePost(easy.get(), post, timeout, &state);
  WebNetwork network(options);
  network.Configure(easy.get());
  const CURLcode code = curl_easy_perform(easy.get());
  if (state.is_stopped) return {Kind::kStopped, ""};
  if (!network.refused().empty()) {
    return {Kind::kRefused,
            fmt::format("it leads to {}, an address of the server's own machine or link; start "
                        "potok-server with --http_local_sources",
                        network.refused())};
  }
  long http_code = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &http_code);
  // It has answered, even if the rest of the answer did not come.
  if (http_code >= 200) return Judged(http_code);
  return {Kind::kFailed, said[0] != '\0' ? said.data() : curl_easy_strerror(code)};
}

}  // namespace potok::server
