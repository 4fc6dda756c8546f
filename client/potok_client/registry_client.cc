#include "client/potok_client/registry_client.h"

#include <grpcpp/channel.h>

#include <algorithm>

#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "potok/v1/registry.grpc.pb.h"

namespace potok::client {

namespace {

constexpr int kAssetsPage = 500;
constexpr absl::Duration kQuick = absl::Seconds(60);
// Data of a datastore is read, or written, as a whole.
constexpr absl::Duration kWithBytes = absl::Hours(24);

}  // namespace

class RegistryClient::Calls {
 public:
  explicit Calls(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Registry::NewStub(channel)) {}

  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::Registry::Stub::*method)(grpc::ClientContext*,
                                                                           const Request&,
                                                                           Response*),
                                const Request& request,
                                absl::Duration timeout = kQuick) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    Response response;
    POTOK_RETURN_IF_ERROR(FromGrpc((*stub_.*method)(&context, request, &response)));
    return response;
  }

 private:
  std::unique_ptr<v1::Registry::Stub> stub_;
};

RegistryClient::RegistryClient(const std::shared_ptr<grpc::Channel>& channel)
    : calls_(std::make_unique<Calls>(channel)) {}
RegistryClient::~RegistryClient() = default;
RegistryClient::RegistryClient(RegistryClient&&) noexcept = default;

absl::StatusOr<v1::CreateAssetResponse> RegistryClient::Create(
    const v1::CreateAssetRequest& request) {
  return calls_->Call(&v1::Registry::Stub::Create, request);
}

absl::StatusOr<v1::Asset> RegistryClient::Get(const v1::GetAssetRequest& request) {
  return calls_->Call(&v1::Registry::Stub::Get, request);
}

absl::StatusOr<std::vector<v1::Asset>> RegistryClient::List(const v1::ListAssetsRequest& request,
                                                            std::size_t results_max) {
  std::vector<v1::Asset> assets;
  v1::ListAssetsRequest page = request;
  while (assets.size() < results_max) {
    const std::size_t wanted = results_max - assets.size();
    page.set_page_size(static_cast<int>(std::min<std::size_t>(wanted, kAssetsPage)));
    POTOK_ASSIGN_OR_RETURN(const v1::ListAssetsResponse response,
                           calls_->Call(&v1::Registry::Stub::List, page));
    assets.insert(assets.end(), response.assets().begin(), response.assets().end());
    if (response.next_page_token().empty()) break;
    page.set_page_token(response.next_page_token());
  }
  return assets;
}

absl::StatusOr<v1::Asset> RegistryClient::Update(const v1::UpdateAssetRequest& request) {
  return calls_->Call(&v1::Registry::Stub::Update, request);
}

absl::StatusOr<int> RegistryClient::Archive(const v1::ArchiveAssetRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const v1::ArchiveAssetResponse response,
                         calls_->Call(&v1::Registry::Stub::Archive, request));
  return response.versions();
}

absl::StatusOr<int> RegistryClient::Restore(const v1::ArchiveAssetRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const v1::ArchiveAssetResponse response,
                         calls_->Call(&v1::Registry::Stub::Restore, request));
  return response.versions();
}

absl::StatusOr<v1::Asset> RegistryClient::Resolve(v1::AssetKind kind,
                                                  const std::string& reference) {
  v1::ResolveAssetRequest request;
  request.set_kind(kind);
  request.set_reference(reference);
  return calls_->Call(&v1::Registry::Stub::Resolve, request);
}

absl::StatusOr<v1::Artifact> RegistryClient::Locate(const std::string& uri) {
  v1::LocateRequest request;
  request.set_uri(uri);
  return calls_->Call(&v1::Registry::Stub::Locate, request, kWithBytes);
}

absl::Status RegistryClient::Export(const v1::Artifact& artifact, const std::string& uri) {
  v1::ExportRequest request;
  request.set_uri(uri);
  *request.mutable_artifact() = artifact;
  return calls_->Call(&v1::Registry::Stub::Export, request, kWithBytes).status();
}

}  // namespace potok::client
