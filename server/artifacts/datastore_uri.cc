#include "server/artifacts/datastore_uri.h"

#include <algorithm>
#include <cctype>

#include "common/cas/folder.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr char kScheme[] = "azureml://";

absl::Status Bad(const std::string& uri, const std::string& why) {
  std::string shown;
  for (const char c : uri.substr(0, 200)) shown += c >= 0x20 && c < 0x7F ? c : '?';
  return absl::InvalidArgumentError(fmt::format(
      "'{}' names no place in a datastore: {}; write azureml://datastores/NAME/paths/PATH",
      shown,
      why));
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// Where "datastores" stands; 0 in the short form.
std::size_t DatastoresAt(const std::vector<std::string>& parts) {
  const auto is = [&](std::size_t i, const char* word) {
    return i < parts.size() && LowerCase(parts[i]) == word;
  };
  if (!is(0, "subscriptions") || !is(2, "resourcegroups")) return 0;
  const std::size_t workspaces = is(4, "providers") ? 6 : 4;
  return is(workspaces, "workspaces") ? workspaces + 2 : 0;
}

}  // namespace

bool IsDatastoreName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

absl::StatusOr<DatastorePlace> ParseDatastoreUri(const std::string& uri) {
  if (uri.rfind(kScheme, 0) != 0) return Bad(uri, "it does not begin with azureml://");
  std::vector<std::string> parts = Split(uri.substr(sizeof kScheme - 1));
  const std::size_t at = DatastoresAt(parts);
  if (parts.size() < at + 4 || parts[at] != "datastores" || parts[at + 2] != "paths") {
    return Bad(uri, "it has no datastores/NAME/paths/PATH");
  }
  DatastorePlace place;
  place.datastore = parts[at + 1];
  if (!IsDatastoreName(place.datastore)) {
    return Bad(uri, "a datastore's name is 1 to 64 letters, digits, '_' and '-'");
  }
  if (parts.back().empty()) parts.pop_back();
  for (std::size_t i = at + 3; i < parts.size(); ++i) {
    const absl::Status name = CheckName(parts[i]);
    if (!name.ok()) return Bad(uri, std::string(name.message()));
    // Ours, while something is being laid out beside its place.
    if (parts[i].rfind(".potok-", 0) == 0) return Bad(uri, "names in .potok- are reserved");
    place.parts.push_back(std::move(parts[i]));
  }
  if (place.parts.empty()) return Bad(uri, "its path is empty");
  return place;
}

}  // namespace potok::server
