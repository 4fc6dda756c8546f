// The port to what is registered. Beside the journal, since the scheduler decides nothing by it:
// every write is a transaction of its own. The real one is postgres/postgres_assets.h, the fake is
// in tests/support; both pass tests/server/store/asset_store_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/asset_reference.h"

namespace potok::server {

// One version. Texts are UTF-8 without zeros.
struct AssetRow {
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  std::string version;
  std::string document;
  std::vector<std::string> artifacts;  // that the document names (artifact_reference.h)
  std::string description;
  std::string display_name;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> properties;
  std::int64_t created_us = 0;
  std::string created_by;
  std::int64_t modified_us = 0;
  bool archived = false;
  // Unique to one act of creation, which may then be repeated.
  std::string origin;
  std::string made_by;

  // Given by the store.
  std::int64_t id = 0;              // grows with each creation
  std::vector<std::string> labels;  // in alphabetical order, "latest" among them
};

enum class Archived { kNo, kAll, kOnly };

struct AssetFilter {
  AssetKind kind = AssetKind::kComponent;
  std::string name;  // empty: the latest of each name
  Archived archived = Archived::kNo;
  std::int64_t before_id = 0;  // 0: from the newest; else those with a lower id
  int limit = 50;
};

// What to change of what is said about a version.
struct AssetChange {
  std::optional<std::string> description;
  std::optional<std::string> display_name;
  std::map<std::string, std::string> set_tags;
  std::vector<std::string> remove_tags;
  std::map<std::string, std::string> set_properties;
  std::vector<std::string> remove_properties;
  std::int64_t modified_us = 0;
};

// Thread-safe; every call blocks. UNAVAILABLE when the database is.
class AssetStore {
 public:
  virtual ~AssetStore() = default;

  // Claims the version, or the next number if `row` has none (one above the highest number of that
  // name; never one that was given before). The row as it is stored. ALREADY_EXISTS if the version
  // is taken, unless by a row of the same origin, which then is the answer.
  virtual absl::StatusOr<AssetRow> Insert(AssetRow row) = 0;

  // NOT_FOUND, without a message for users.
  virtual absl::StatusOr<AssetRow> Get(AssetKind kind,
                                       const std::string& name,
                                       const std::string& version) = 0;
  // "latest": the version created last of those that are not archived.
  virtual absl::StatusOr<AssetRow> GetByLabel(AssetKind kind,
                                              const std::string& name,
                                              const std::string& label) = 0;
  // The newest first.
  virtual absl::StatusOr<std::vector<AssetRow>> List(const AssetFilter& filter) = 0;

  // The row as it is then. NOT_FOUND.
  virtual absl::StatusOr<AssetRow> Update(AssetKind kind,
                                          const std::string& name,
                                          const std::string& version,
                                          const AssetChange& change) = 0;
  // Points a label of the name at a version, or removes it (no version). NOT_FOUND for a version
  // that there is not; removing what is not there is OK. Not for "latest".
  virtual absl::Status SetLabel(AssetKind kind,
                                const std::string& name,
                                const std::string& label,
                                const std::optional<std::string>& version) = 0;
  // Of one version, or of all (no version). How many were changed; NOT_FOUND if there is none.
  virtual absl::StatusOr<int> SetArchived(AssetKind kind,
                                          const std::string& name,
                                          const std::optional<std::string>& version,
                                          bool archived,
                                          std::int64_t now_us) = 0;
};

}  // namespace potok::server
