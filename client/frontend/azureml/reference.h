// The forms in which Azure ML's YAML names things that are elsewhere. Pure, but for what says that
// it looks at files.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/frontend/azureml/reading.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// What `path:` of data names.
struct DataReference {
  bool is_local = false;
  std::string text;  // the path as written without "file:", or the URI without "azureml:" before it
};
// INVALID_ARGUMENT for a scheme that Potok does not know and for azureml:NAME without a version.
absl::StatusOr<DataReference> ParseDataReference(const std::string& text);

// True for azureml:NAME:VERSION, azureml:NAME@LABEL, azureml:/subscriptions/..., azureml://...
bool IsAssetReference(const std::string& text);

// "cpu-cluster" of cpu-cluster, azureml:cpu-cluster and azureml:/subscriptions/.../cpu-cluster; for
// datastores too.
std::string ResourceName(const std::string& text);

// "./x" of "file:./x", else the text.
std::string WithoutFilePrefix(const std::string& text);

// The value of an input of `type` that is written as the path or URI `text` at `at`. Looks whether
// a local one exists, and for a registered one what it is, which the spec's property
// "asset.WHERE" then names (WHERE as in Problem::where); reports what is wrong, and then the value
// is empty. With `infer_type` a local file sets *type to uri_file, and a registered one to its own
// type.
Binding ReadData(const std::string& text,
                 const Place& at,
                 const Origin& origin,
                 bool infer_type,
                 const std::string& where,
                 ValueType* type,
                 Reading* reading);

// What is said of data of `type` that is written as `text`, azureml:NAME:VERSION or the like, and
// is not registered. "" if it is, if it is written otherwise, or if that is not known.
std::string WhyNotRegistered(const std::string& text, ValueType type, Reading* reading);

// What is said of data that is written as `text` and is not at `path`.
std::string MissingData(const std::string& text, const std::string& path);

// The code snapshot written as `text`: a folder or file that exists, or an artifact.
Code ReadCode(const std::string& text, const Place& at, const Origin& origin, Reporter* reporter);

// The absolute path of what `text`, one of additional_includes, names: a file or folder that
// exists, or "x/lib.zip" where there is a folder x/lib, which is packed then
// (SnapshotOptions::additional_includes). Nothing after an error, which is reported.
std::optional<std::string> ReadInclude(const std::string& text,
                                       const Place& at,
                                       const Origin& origin,
                                       Reporter* reporter);

}  // namespace potok::client
