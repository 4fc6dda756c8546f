#include "common/pipeline/spec.h"

#include <algorithm>
#include <iterator>

namespace potok {

namespace {

template <class Value>
struct Named {
  Value value;
  const char* name;
};

constexpr Named<ValueType> kValueTypes[] = {
    {ValueType::kString, "string"},
    {ValueType::kNumber, "number"},
    {ValueType::kInteger, "integer"},
    {ValueType::kBoolean, "boolean"},
    {ValueType::kUriFile, "uri_file"},
    {ValueType::kUriFolder, "uri_folder"},
    {ValueType::kMltable, "mltable"},
    {ValueType::kMlflowModel, "mlflow_model"},
    {ValueType::kCustomModel, "custom_model"},
    {ValueType::kTritonModel, "triton_model"},
    {ValueType::kUriFolder, "path"},  // Azure's oldest components
};

// "mount" and "link" leave the direction to the port: reading for an input, writing for an output.
constexpr Named<Mode> kModes[] = {
    {Mode::kDefault, ""},
    {Mode::kRoMount, "ro_mount"},
    {Mode::kDownload, "download"},
    {Mode::kDirect, "direct"},
    {Mode::kRwMount, "rw_mount"},
    {Mode::kUpload, "upload"},
    {Mode::kEvalMount, "eval_mount"},
    {Mode::kEvalDownload, "eval_download"},
    {Mode::kDefault, "mount"},
    {Mode::kDefault, "link"},
};

template <class Value, std::size_t size>
const char* NameIn(const Named<Value> (&table)[size], Value value) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [value](const Named<Value>& entry) {
        return entry.value == value;
      });
  return found == std::end(table) ? "" : found->name;
}

template <class Value, std::size_t size>
std::optional<Value> ValueIn(const Named<Value> (&table)[size], const std::string& name) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&name](const Named<Value>& entry) {
        return name == entry.name;
      });
  if (found == std::end(table)) return std::nullopt;
  return found->value;
}

}  // namespace

bool IsPrimitive(ValueType type) {
  return type == ValueType::kString || type == ValueType::kNumber || type == ValueType::kInteger ||
         type == ValueType::kBoolean;
}

const char* NameOf(ValueType type) {
  return NameIn(kValueTypes, type);
}

std::optional<ValueType> ParseValueType(const std::string& name) {
  return ValueIn(kValueTypes, name);
}

const char* NameOf(Mode mode) {
  return NameIn(kModes, mode);
}

std::optional<Mode> ParseMode(const std::string& name) {
  return ValueIn(kModes, name);
}

}  // namespace potok
