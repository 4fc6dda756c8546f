#include "tests/support/fake_asset_store.h"

#include <algorithm>

namespace potok::server {

namespace {

using Lock = std::lock_guard<std::mutex>;

absl::Status NoAsset() {
  return absl::NotFoundError("not registered");
}

bool IsNumber(const std::string& version) {
  return !version.empty() && version.size() <= 15 && version[0] != '0' &&
         std::ranges::all_of(version, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

AssetRow* FakeAssetStore::Find(AssetKind kind,
                               const std::string& name,
                               const std::string& version) {
  const auto row = std::ranges::find_if(rows_, [&](const AssetRow& one) {
    return one.kind == kind && one.name == name && one.version == version;
  });
  return row == rows_.end() ? nullptr : &*row;
}

AssetRow* FakeAssetStore::Latest(AssetKind kind, const std::string& name) {
  AssetRow* latest = nullptr;
  for (AssetRow& row : rows_) {
    if (row.kind == kind && row.name == name && !row.archived) latest = &row;
  }
  return latest;
}

AssetRow FakeAssetStore::WithLabels(const AssetRow& row) {
  AssetRow labelled = row;
  for (const auto& [key, version] : labels_) {
    const auto& [kind, name, label] = key;
    if (kind == row.kind && name == row.name && version == row.version) {
      labelled.labels.push_back(label);
    }
  }
  const AssetRow* latest = Latest(row.kind, row.name);
  if (latest != nullptr && latest->id == row.id) labelled.labels.emplace_back(kLatest);
  std::ranges::sort(labelled.labels);
  std::ranges::sort(labelled.artifacts);
  return labelled;
}

absl::StatusOr<AssetRow> FakeAssetStore::Insert(AssetRow row) {
  const Lock lock(mutex_);
  const auto same = std::ranges::find(rows_, row.origin, &AssetRow::origin);
  if (same != rows_.end()) return WithLabels(*same);
  if (row.version.empty()) {
    std::int64_t highest = 0;
    for (const AssetRow& other : rows_) {
      if (other.kind == row.kind && other.name == row.name && IsNumber(other.version)) {
        highest = std::max<std::int64_t>(highest, std::stoll(other.version));
      }
    }
    row.version = std::to_string(highest + 1);
  }
  if (Find(row.kind, row.name, row.version) != nullptr) {
    return absl::AlreadyExistsError("the version is taken");
  }
  row.id = static_cast<std::int64_t>(rows_.size()) + 1;
  row.modified_us = row.created_us;
  rows_.push_back(row);
  return WithLabels(row);
}

absl::StatusOr<AssetRow> FakeAssetStore::Get(AssetKind kind,
                                             const std::string& name,
                                             const std::string& version) {
  const Lock lock(mutex_);
  const AssetRow* row = Find(kind, name, version);
  if (row == nullptr) return NoAsset();
  return WithLabels(*row);
}

absl::StatusOr<AssetRow> FakeAssetStore::GetByLabel(AssetKind kind,
                                                    const std::string& name,
                                                    const std::string& label) {
  const Lock lock(mutex_);
  const AssetRow* row = nullptr;
  if (label == kLatest) {
    row = Latest(kind, name);
  } else if (const auto found = labels_.find({kind, name, label}); found != labels_.end()) {
    row = Find(kind, name, found->second);
  }
  if (row == nullptr) return NoAsset();
  return WithLabels(*row);
}

absl::StatusOr<std::vector<AssetRow>> FakeAssetStore::List(const AssetFilter& filter) {
  const Lock lock(mutex_);
  std::vector<AssetRow> found;
  std::map<std::string, bool> seen;
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    if (row->kind != filter.kind || (!filter.name.empty() && row->name != filter.name)) continue;
    if (filter.archived == Archived::kNo && row->archived) continue;
    if (filter.archived == Archived::kOnly && !row->archived) continue;
    if (filter.name.empty() && std::exchange(seen[row->name], true)) continue;
    if (filter.before_id != 0 && row->id >= filter.before_id) continue;
    if (found.size() < static_cast<std::size_t>(filter.limit)) found.push_back(WithLabels(*row));
  }
  return found;
}

absl::StatusOr<AssetRow> FakeAssetStore::Update(AssetKind kind,
                                                const std::string& name,
                                                const std::string& version,
                                                const AssetChange& change) {
  const Lock lock(mutex_);
  AssetRow* row = Find(kind, name, version);
  if (row == nullptr) return NoAsset();
  row->description = change.description.value_or(row->description);
  row->display_name = change.display_name.value_or(row->display_name);
  for (const std::string& key : change.remove_tags) row->tags.erase(key);
  for (const auto& [key, value] : change.set_tags) row->tags[key] = value;
  for (const std::string& key : change.remove_properties) row->properties.erase(key);
  for (const auto& [key, value] : change.set_properties) row->properties[key] = value;
  row->modified_us = change.modified_us;
  return WithLabels(*row);
}

absl::Status FakeAssetStore::SetLabel(AssetKind kind,
                                      const std::string& name,
                                      const std::string& label,
                                      const std::optional<std::string>& version) {
  const Lock lock(mutex_);
  if (!version.has_value()) {
    labels_.erase({kind, name, label});
    return absl::OkStatus();
  }
  if (Find(kind, name, *version) == nullptr) return NoAsset();
  labels_[{kind, name, label}] = *version;
  return absl::OkStatus();
}

absl::StatusOr<int> FakeAssetStore::SetArchived(AssetKind kind,
                                                const std::string& name,
                                                const std::optional<std::string>& version,
                                                bool archived,
                                                std::int64_t now_us) {
  const Lock lock(mutex_);
  int count = 0;
  int changed = 0;
  for (AssetRow& row : rows_) {
    if (row.kind != kind || row.name != name || (version && row.version != *version)) continue;
    ++count;
    if (row.archived == archived) continue;
    row.archived = archived;
    row.modified_us = now_us;
    ++changed;
  }
  if (count == 0) return NoAsset();
  return changed;
}

}  // namespace potok::server
