#include "server/registry/document.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/pipeline/artifact_reference.h"
#include "common/pipeline/spec.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

using Json = nlohmann::json;  // its maps are in order of their keys

absl::Status BadDocument(AssetKind kind, const std::string& why) {
  return absl::InvalidArgumentError(fmt::format("this is no {}: {}", NameOf(kind), why));
}

// Levels of maps and lists, looked at before anything that recurses reads them.
bool IsTooDeep(const std::string& text) {
  int depth = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        is_quoted = false;
      }
    } else if (c == '"') {
      is_quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDocumentDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool HasZero(const Json& json) {
  if (json.is_string()) {
    return json.get_ref<const std::string&>().find('\0') != std::string::npos;
  }
  if (!json.is_structured()) return false;
  return std::ranges::any_of(json.items(), [](const auto& item) {
    return item.key().find('\0') != std::string::npos || HasZero(item.value());
  });
}

std::string MemberText(const Json& json, const char* member) {
  const auto found = json.find(member);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::Status CheckData(AssetKind kind, const Json& json) {
  const std::optional<ValueType> type = ParseValueType(MemberText(json, "type"));
  const bool is_model = type == ValueType::kCustomModel || type == ValueType::kMlflowModel ||
                        type == ValueType::kTritonModel;
  if (!type || IsPrimitive(*type) || is_model != (kind == AssetKind::kModel)) {
    return BadDocument(kind,
                       kind == AssetKind::kModel
                           ? "its type must be custom_model, mlflow_model or triton_model"
                           : "its type must be uri_file, uri_folder or mltable");
  }
  if (MemberText(json, "path").empty()) return BadDocument(kind, "it has no path");
  return absl::OkStatus();
}

absl::Status CheckMembers(AssetKind kind, const Json& json) {
  switch (kind) {
    case AssetKind::kData:
    case AssetKind::kModel:
      return CheckData(kind, json);
    case AssetKind::kEnvironment:
      if (json.contains("image") || json.contains("build")) return absl::OkStatus();
      return BadDocument(kind, "it has neither an image nor a build");
    case AssetKind::kComponent:
    case AssetKind::kDatastore:
      if (!MemberText(json, "type").empty()) return absl::OkStatus();
      return BadDocument(kind, "it has no type");
  }
  return BadDocument(kind, "its kind is not known");
}

void CollectArtifacts(const Json& json, std::set<std::string>* found) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (IsArtifactReference(text)) found->insert(text);
  } else if (json.is_structured()) {
    for (const Json& item : json) CollectArtifacts(item, found);
  }
}

std::string Short(const Json& json) {
  constexpr std::size_t kShownMax = 200;
  std::string text = json.is_string() ? "'" + json.get<std::string>() + "'"
                                      : json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= kShownMax) return text;
  std::size_t end = kShownMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

void Compare(const Json& before,
             const Json& after,
             const std::string& where,
             std::size_t max,
             std::vector<Difference>* found) {
  if (before == after || found->size() >= max) return;
  if (!before.is_object() || !after.is_object()) {
    found->push_back({where, Short(before), Short(after)});
    return;
  }
  std::set<std::string> keys;
  for (const auto& item : before.items()) keys.insert(item.key());
  for (const auto& item : after.items()) keys.insert(item.key());
  for (const std::string& key : keys) {
    if (found->size() >= max) return;
    const std::string inner = where.empty() ? key : where + "." + key;
    const auto old_member = before.find(key);
    const auto new_member = after.find(key);
    if (old_member == before.end()) {
      found->push_back({inner, "", Short(*new_member)});
    } else if (new_member == after.end()) {
      found->push_back({inner, Short(*old_member), ""});
    } else {
      Compare(*old_member, *new_member, inner, max, found);
    }
  }
}

// Documents that were stored were read before.
Json Parsed(const std::string& document) {
  Json json = Json::parse(document, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

std::string Written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

absl::Status CheckDocument(AssetKind kind, const std::string& text) {
  if (text.size() > kDocumentBytesMax) {
    return BadDocument(
        kind,
        fmt::format(
            "its document has {} bytes, and {} are allowed", text.size(), kDocumentBytesMax));
  }
  if (IsTooDeep(text)) {
    return BadDocument(kind, fmt::format("it is nested beyond {} levels", kDocumentDepthMax));
  }
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return BadDocument(kind, "its document is no JSON object");
  if (HasZero(json)) return BadDocument(kind, "a text of it holds a zero byte");
  return CheckMembers(kind, json);
}

std::vector<std::string> ArtifactsIn(const std::string& document) {
  std::set<std::string> found;
  CollectArtifacts(Parsed(document), &found);
  return {found.begin(), found.end()};
}

std::string TextOf(const std::string& document, const std::string& member) {
  return MemberText(Parsed(document), member.c_str());
}

std::string WithText(const std::string& document,
                     const std::string& member,
                     const std::string& text) {
  Json json = Parsed(document);
  json[member] = text;
  return Written(json);
}

std::vector<Difference> DifferencesOf(const std::string& before,
                                      const std::string& after,
                                      std::size_t max) {
  std::vector<Difference> found;
  Compare(Parsed(before), Parsed(after), "", max, &found);
  return found;
}

std::string ToString(const Difference& difference) {
  if (difference.before.empty()) {
    return fmt::format("{}: is new: {}", difference.where, difference.after);
  }
  if (difference.after.empty()) {
    return fmt::format("{}: is gone; it was {}", difference.where, difference.before);
  }
  return fmt::format("{}: {} is now {}", difference.where, difference.before, difference.after);
}

}  // namespace potok::server
