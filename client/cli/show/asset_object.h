// What is registered, as the objects that commands print, in Azure ML's words. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/registry.pb.h"

namespace potok::client {

// A version with all its content: the document's members beside name, version, tags and so on.
Value AssetObject(const v1::Asset& asset);

// The document as YAML reads it: with name and version, ready to be registered elsewhere.
Value AssetDocumentObject(const v1::Asset& asset);

// What lists show: without content; "latest version" too where each name stands once.
Value AssetListItem(const v1::Asset& asset, bool is_of_name);

std::string AssetTable(const std::vector<v1::Asset>& assets,
                       absl::TimeZone zone,
                       const TableStyle& style);

// Name, version and facts as lines, then the content as YAML.
std::string AssetText(const v1::Asset& asset, absl::TimeZone zone);

// "component", "environment", "data", "model", "datastore".
std::string NounOf(v1::AssetKind kind);

}  // namespace potok::client
