#include "server/http/mlflow_routes.h"

#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/http/access.h"
#include "server/tracking/logged_files.h"
#include "server/tracking/mlflow_answers.h"
#include "server/tracking/mlflow_api.h"
#include "server/tracking/step_token.h"

namespace potok::server {

namespace {

// Clients of browsers say ajax-api. Calls of the later protocols are none of ours, and are answered
// as such.
constexpr char kCalls[] = R"(/(?:ajax-)?api/2\.0/mlflow(/.*))";
constexpr char kLaterCalls[] = R"(/(?:ajax-)?api/(3\.0/mlflow/.*))";
constexpr char kFolders[] = R"(/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/?)";
constexpr char kFiles[] = R"(/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/(.+))";
// Read of the body of a request that may not come in.
constexpr std::size_t kRefusedBytesMax = std::size_t{64} << 10;
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

void Fail(const absl::Status& status, httplib::Response& response) {
  const MlflowAnswer answer = MlflowErrorAnswer(status);
  response.status = answer.status;
  if (answer.status == 401) response.set_header("WWW-Authenticate", "Bearer");
  response.set_content(answer.json, "application/json");
}

class MlflowRoutes {
 public:
  MlflowRoutes(TrackingSources sources, const Access* access)
      : sources_(sources), access_(access) {}

  void Call(const httplib::Request& request, const std::string& body, httplib::Response& response) {
    const absl::StatusOr<MlflowCaller> caller = CallerOf(request);
    if (!caller.ok()) return Fail(caller.status(), response);
    MlflowRequest call{request.method, request.matches[1], {}, body};
    for (const auto& [name, value] : request.params) call.query.emplace(name, value);
    // A form's fields would come twice.
    if (!body.empty()) call.query.clear();
    const MlflowAnswer answer = sources_.api->Handle(*caller, call);
    response.status = answer.status;
    response.set_content(answer.json, "application/json");
  }

  void ReceiveCall(const httplib::Request& request,
                   httplib::Response& response,
                   const httplib::ContentReader& read) {
    const bool entered = CallerOf(request).ok();
    std::string body;
    if (Read(request, read, entered ? MlflowApi::kBodyBytesMax : kRefusedBytesMax, &body)) {
      response.status = -1;  // a failed reading changes it
      return Call(request, body, response);
    }
    response.set_header("Connection", "close");
    if (!entered) return Fail(CallerOf(request).status(), response);
    Fail(absl::InvalidArgumentError(
             fmt::format("The body was cut off, or is larger than {} MiB; log less in one call",
                         MlflowApi::kBodyBytesMax >> 20)),
         response);
  }

  void List(const httplib::Request& request, httplib::Response& response) {
    const absl::Status status = [&]() -> absl::Status {
      POTOK_RETURN_IF_ERROR(CallerOf(request).status());
      POTOK_ASSIGN_OR_RETURN(const LoggedName folder,
                             ParseLoggedName(request.get_param_value("path")));
      POTOK_ASSIGN_OR_RETURN(const std::vector<LoggedEntry> entries, sources_.files->List(folder));
      response.set_content(EntriesAnswer(entries), "application/json");
      return absl::OkStatus();
    }();
    if (!status.ok()) Fail(status, response);
  }

  void Upload(const httplib::Request& request,
              httplib::Response& response,
              const httplib::ContentReader& read) {
    const absl::Status status = Receive(request, read);
    response.status = -1;
    if (!status.ok()) {
      response.set_header("Connection", "close");  // what follows may be the rest of the body
      return Fail(status, response);
    }
    response.set_content("{}", "application/json");
  }

  void Download(const httplib::Request& request, httplib::Response& response) {
    const absl::Status status = [&]() -> absl::Status {
      POTOK_RETURN_IF_ERROR(CallerOf(request).status());
      POTOK_ASSIGN_OR_RETURN(const LoggedName name, ParseLoggedName(request.matches[1]));
      POTOK_ASSIGN_OR_RETURN(const LoggedFiles::OpenFile file, sources_.files->Open(name));
      Send(file, response);
      return absl::OkStatus();
    }();
    if (!status.ok()) Fail(status, response);
  }

 private:
  absl::StatusOr<MlflowCaller> CallerOf(const httplib::Request& request) const {
    const std::string authorization = request.get_header_value("Authorization");
    const std::string bearer = "Bearer ";
    if (authorization.rfind(bearer, 0) == 0) {
      if (auto claim = sources_.tokens->Read(authorization.substr(bearer.size()))) {
        return MlflowCaller(*std::move(claim));
      }
    }
    if (access_ != nullptr && access_->IsToken(authorization)) return MlflowCaller();
    return absl::UnauthenticatedError(
        "give a step's token as 'Authorization: Bearer TOKEN': steps find theirs in "
        "MLFLOW_TRACKING_TOKEN, which MLflow's clients send by themselves; for reading the "
        "server's "
        "own token does as well (http.token in its home folder)");
  }

  static bool Read(const httplib::Request& request,
                   const httplib::ContentReader& read,
                   std::size_t bytes_max,
                   std::string* body) {
    const auto keep = [body, bytes_max](const char* data, std::size_t size) {
      if (size > bytes_max - body->size()) return false;
      body->append(data, size);
      return true;
    };
    return request.get_header_value<std::uint64_t>("Content-Length") <= bytes_max && read(keep);
  }

  absl::Status Receive(const httplib::Request& request, const httplib::ContentReader& read) {
    POTOK_ASSIGN_OR_RETURN(const MlflowCaller caller, CallerOf(request));
    POTOK_ASSIGN_OR_RETURN(const LoggedName name, ParseLoggedName(request.matches[1]));
    POTOK_RETURN_IF_ERROR(sources_.files->MayWrite(caller, name));
    POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore::Intake> intake,
                           sources_.files->Begin());
    absl::Status kept;
    const bool whole = read([&](const char* data, std::size_t size) {
      kept = intake->Append(data, size);
      return kept.ok();
    });
    POTOK_RETURN_IF_ERROR(kept);
    if (!whole) return absl::InvalidArgumentError("The body was cut off; nothing is kept of it");
    return sources_.files->Put(caller, name, *intake);
  }

  static void Send(const LoggedFiles::OpenFile& file, httplib::Response& response) {
    response.set_header("Content-Disposition", "attachment");
    if (file.size_bytes == 0) {
      close(file.descriptor);
      return response.set_content("", "application/octet-stream");
    }
    const auto provide = [file](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
      std::string piece(std::min(length, kPieceBytes), '\0');
      const ssize_t got =
          pread(file.descriptor, piece.data(), piece.size(), static_cast<off_t>(offset));
      return got > 0 && sink.write(piece.data(), static_cast<std::size_t>(got));
    };
    response.set_content_provider(static_cast<std::size_t>(file.size_bytes),
                                  "application/octet-stream",
                                  provide,
                                  [file](bool /*sent*/) { close(file.descriptor); });
  }

  const TrackingSources sources_;
  const Access* const access_;
};

}  // namespace

void AddMlflowRoutes(httplib::Server& server, TrackingSources sources, const Access* access) {
  const auto routes = std::make_shared<MlflowRoutes>(sources, access);
  const auto call = [routes](const httplib::Request& request, httplib::Response& response) {
    routes->Call(request, "", response);
  };
  const auto receive = [routes](const httplib::Request& request,
                                httplib::Response& response,
                                const httplib::ContentReader& read) {
    routes->ReceiveCall(request, response, read);
  };
  for (const char* calls : {kCalls, kLaterCalls}) {
    server.Get(calls, call);
    server.Post(calls, receive);
    server.Patch(calls, receive);
  }
  server.Get(kFolders, [routes](const httplib::Request& request, httplib::Response& response) {
    routes->List(request, response);
  });
  server.Get(kFiles, [routes](const httplib::Request& request, httplib::Response& response) {
    routes->Download(request, response);
  });
  server.Put(
      kFiles,
      [routes](const httplib::Request& request,
               httplib::Response& response,
               const httplib::ContentReader& read) { routes->Upload(request, response, read); });
}

}  // namespace potok::server
