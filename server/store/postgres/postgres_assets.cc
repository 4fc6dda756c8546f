#include "server/store/postgres/postgres_assets.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr int kAssetListMax = 1000;
// Others that create versions of the same name at the same moment, each of which takes a number.
constexpr int kNumberTries = 1000;

constexpr char kSelectAssets[] =
    "SELECT id, kind, name, version, document, description, display_name, created_us, created_by, "
    "modified_us, archived::integer, origin, made_by FROM assets AS a";

const Statement kInsertVersion = {
    "insert asset",
    "INSERT INTO assets (kind, name, version, number, document, artifacts, description, "
    "display_name, tags, properties, created_us, created_by, modified_us, origin, made_by) "
    "VALUES ($1::smallint, $2::text, $14::text, $15::bigint, $3::text, $4::text[], $5::text, "
    "$6::text, jsonb_object($7::text[], $8::text[]), jsonb_object($9::text[], $10::text[]), "
    "$11::bigint, $12::text, $11::bigint, $13::text, $16::text) "
    "ON CONFLICT DO NOTHING RETURNING id"};
const Statement kInsertNumber = {
    "insert next asset",
    "INSERT INTO assets (kind, name, version, number, document, artifacts, description, "
    "display_name, tags, properties, created_us, created_by, modified_us, origin, made_by) "
    "SELECT $1::smallint, $2::text, next::text, next, $3::text, $4::text[], $5::text, "
    "$6::text, jsonb_object($7::text[], $8::text[]), jsonb_object($9::text[], $10::text[]), "
    "$11::bigint, $12::text, $11::bigint, $13::text, $14::text "
    "FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM assets "
    "WHERE kind = $1::smallint AND name = $2::text AND number IS NOT NULL) AS numbers "
    "ON CONFLICT DO NOTHING RETURNING id"};
const Statement kGetById = {"get asset by id",
                            std::string(kSelectAssets) + " WHERE id = $1::bigint"};
const Statement kGetByOrigin = {"get asset by origin",
                                std::string(kSelectAssets) + " WHERE origin = $1::text"};
const Statement kGetAsset = {
    "get asset",
    std::string(kSelectAssets) +
        " WHERE kind = $1::smallint AND name = $2::text AND version = $3::text"};
const Statement kGetLatest = {
    "get latest asset",
    std::string(kSelectAssets) +
        " WHERE kind = $1::smallint AND name = $2::text AND NOT archived ORDER BY id DESC LIMIT 1"};
const Statement kGetLabelled = {
    "get labelled asset",
    std::string(kSelectAssets) +
        " WHERE kind = $1::smallint AND name = $2::text AND version = (SELECT version FROM "
        "asset_labels WHERE kind = $1::smallint AND name = $2::text AND label = $3::text)"};

// What a row has several of: 1 tags, 2 properties, 3 artifacts, 4 labels.
const Statement kDetails = {
    "asset details",
    "SELECT id, 1::smallint, key, value FROM assets, jsonb_each_text(tags) "
    "WHERE id = ANY($1::bigint[]) "
    "UNION ALL SELECT id, 2::smallint, key, value FROM assets, jsonb_each_text(properties) "
    "WHERE id = ANY($1::bigint[]) "
    "UNION ALL SELECT id, 3::smallint, artifact, '' FROM assets, unnest(artifacts) AS artifact "
    "WHERE id = ANY($1::bigint[]) "
    "UNION ALL SELECT id, 4::smallint, label, '' FROM asset_labels JOIN assets "
    "USING (kind, name, version) WHERE id = ANY($1::bigint[]) "
    "UNION ALL SELECT id, 4::smallint, 'latest', '' FROM assets AS a "
    "WHERE id = ANY($1::bigint[]) AND NOT archived AND NOT EXISTS (SELECT FROM assets AS later "
    "WHERE later.kind = a.kind AND later.name = a.name AND NOT later.archived AND later.id > a.id) "
    "ORDER BY 1, 2, 3"};

const Statement kUpdateAsset = {
    "update asset",
    "UPDATE assets SET description = coalesce($4::text, description), "
    "display_name = coalesce($5::text, display_name), "
    "tags = (tags - $6::text[]) || jsonb_object($7::text[], $8::text[]), "
    "properties = (properties - $9::text[]) || jsonb_object($10::text[], $11::text[]), "
    "modified_us = $12::bigint "
    "WHERE kind = $1::smallint AND name = $2::text AND version = $3::text"};
const Statement kSetLabel = {
    "set asset label",
    "INSERT INTO asset_labels (kind, name, label, version) "
    "SELECT kind, name, $3::text, version FROM assets "
    "WHERE kind = $1::smallint AND name = $2::text AND version = $4::text "
    "ON CONFLICT (kind, name, label) DO UPDATE SET version = excluded.version"};
const Statement kRemoveLabel = {"remove asset label",
                                "DELETE FROM asset_labels WHERE kind = $1::smallint "
                                "AND name = $2::text AND label = $3::text"};
const Statement kCountVersions = {
    "count asset versions",
    "SELECT count(*) FROM assets WHERE kind = $1::smallint AND name = $2::text "
    "AND version = coalesce($3::text, version)"};
const Statement kSetArchived = {
    "archive asset",
    "UPDATE assets SET archived = ($4::smallint = 1), modified_us = $5::bigint "
    "WHERE kind = $1::smallint AND name = $2::text AND version = coalesce($3::text, version) "
    "AND archived <> ($4::smallint = 1)"};

PgParams KindAndName(AssetKind kind, const std::string& name) {
  return PgParams().Int16(static_cast<int>(kind)).Bytes(name);
}

void AddMap(const std::map<std::string, std::string>& map, PgParams* params) {
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (const auto& [key, value] : map) {
    keys.push_back(key);
    values.push_back(value);
  }
  params->Texts(keys).Texts(values);
}

void AddText(const std::optional<std::string>& text, PgParams* params) {
  if (text.has_value()) {
    params->Bytes(*text);
  } else {
    params->Null();
  }
}

// The version as a number, if it is one that "the next number" could have given.
std::optional<std::int64_t> VersionNumberOf(const std::string& version) {
  constexpr std::size_t kDigitsMax = 15;
  if (version.empty() || version.size() > kDigitsMax || version[0] == '0') return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), number);
  if (error != std::errc() || end != version.data() + version.size() || number < 0) {
    return std::nullopt;
  }
  return number;
}

// $1 to $13 of both insertions.
PgParams InsertParams(const AssetRow& row) {
  PgParams params = KindAndName(row.kind, row.name);
  params.Bytes(row.document).Texts(row.artifacts).Bytes(row.description).Bytes(row.display_name);
  AddMap(row.tags, &params);
  AddMap(row.properties, &params);
  params.Int64(row.created_us).Bytes(row.created_by).Bytes(row.origin);
  return params;
}

AssetRow RowFrom(const PgResult& result, int row) {
  AssetRow asset;
  asset.id = result.Int(row, 0);
  asset.kind = static_cast<AssetKind>(result.Int(row, 1));
  asset.name = result.Bytes(row, 2);
  asset.version = result.Bytes(row, 3);
  asset.document = result.Bytes(row, 4);
  asset.description = result.Bytes(row, 5);
  asset.display_name = result.Bytes(row, 6);
  asset.created_us = result.Int(row, 7);
  asset.created_by = result.Bytes(row, 8);
  asset.modified_us = result.Int(row, 9);
  asset.archived = result.Int(row, 10) != 0;
  asset.origin = result.Bytes(row, 11);
  asset.made_by = result.Bytes(row, 12);
  return asset;
}

void AddDetail(int what, std::string key, std::string value, AssetRow* row) {
  switch (what) {
    case 1:
      row->tags.emplace(std::move(key), std::move(value));
      break;
    case 2:
      row->properties.emplace(std::move(key), std::move(value));
      break;
    case 3:
      row->artifacts.push_back(std::move(key));
      break;
    default:
      row->labels.push_back(std::move(key));
  }
}

}  // namespace

absl::Status PostgresAssets::AddDetails(std::vector<AssetRow>& rows) {
  std::map<std::int64_t, AssetRow*> by_id;
  std::vector<std::int64_t> ids;
  for (AssetRow& row : rows) {
    by_id[row.id] = &row;
    ids.push_back(row.id);
  }
  if (ids.empty()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(const PgResult details, pool_.Query(kDetails, PgParams().Int64s(ids)));
  for (int i = 0; i < details.rows(); ++i) {
    AddDetail(static_cast<int>(details.Int(i, 1)),
              details.Bytes(i, 2),
              details.Bytes(i, 3),
              by_id[details.Int(i, 0)]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AssetRow>> PostgresAssets::Rows(const Statement& statement,
                                                           const PgParams& params) {
  POTOK_ASSIGN_OR_RETURN(const PgResult result, pool_.Query(statement, params));
  std::vector<AssetRow> rows = FromRows(result, RowFrom);
  POTOK_RETURN_IF_ERROR(AddDetails(rows));
  return rows;
}

absl::StatusOr<AssetRow> PostgresAssets::Row(const Statement& statement, const PgParams& params) {
  POTOK_ASSIGN_OR_RETURN(std::vector<AssetRow> rows, Rows(statement, params));
  if (rows.empty()) return absl::NotFoundError("not registered");
  return std::move(rows.front());
}

absl::StatusOr<AssetRow> PostgresAssets::Insert(AssetRow row) {
  PgParams params = InsertParams(row);
  if (!row.version.empty()) {
    params.Bytes(row.version);
    if (const auto number = VersionNumberOf(row.version)) {
      params.Int64(*number);
    } else {
      params.Null();
    }
  }
  params.Bytes(row.made_by);
  const Statement& statement = row.version.empty() ? kInsertNumber : kInsertVersion;
  for (int i = 0; i < kNumberTries; ++i) {
    POTOK_ASSIGN_OR_RETURN(const PgResult inserted, pool_.Query(statement, params));
    if (inserted.rows() == 1) return Row(kGetById, PgParams().Int64(inserted.Int(0, 0)));
    // Taken: by this very creation, whose answer was lost, or by another one.
    auto ours = Row(kGetByOrigin, PgParams().Bytes(row.origin));
    if (ours.ok() || !absl::IsNotFound(ours.status())) return ours;
    if (!row.version.empty()) return absl::AlreadyExistsError("the version is taken");
  }
  return absl::AbortedError(
      fmt::format("no version of {} could be had among many; try again", row.name));
}

absl::StatusOr<AssetRow> PostgresAssets::Get(AssetKind kind,
                                             const std::string& name,
                                             const std::string& version) {
  return Row(kGetAsset, KindAndName(kind, name).Bytes(version));
}

absl::StatusOr<AssetRow> PostgresAssets::GetByLabel(AssetKind kind,
                                                    const std::string& name,
                                                    const std::string& label) {
  if (label == kLatest) return Row(kGetLatest, KindAndName(kind, name));
  return Row(kGetLabelled, KindAndName(kind, name).Bytes(label));
}

absl::StatusOr<std::vector<AssetRow>> PostgresAssets::List(const AssetFilter& filter) {
  PgParams params;
  params.Int16(static_cast<int>(filter.kind));
  const auto is_shown = [&filter](const char* row) -> std::string {
    if (filter.archived == Archived::kAll) return "true";
    return fmt::format("{}{}.archived", filter.archived == Archived::kNo ? "NOT " : "", row);
  };
  std::string sql =
      fmt::format("{} WHERE kind = $1::smallint AND {}", kSelectAssets, is_shown("a"));
  if (!filter.name.empty()) {
    params.Bytes(filter.name);
    sql += fmt::format(" AND name = ${}::text", params.count());
  } else {
    sql += fmt::format(
        " AND NOT EXISTS (SELECT FROM assets AS later WHERE later.kind = a.kind AND later.name = "
        "a.name AND later.id > a.id AND {})",
        is_shown("later"));
  }
  if (filter.before_id != 0) {
    params.Int64(filter.before_id);
    sql += fmt::format(" AND id < ${}::bigint", params.count());
  }
  params.Int64(std::clamp(filter.limit, 0, kAssetListMax));
  sql += fmt::format(" ORDER BY id DESC LIMIT ${}::bigint", params.count());
  return Rows({"list assets", sql, /*prepared=*/false}, params);
}

absl::StatusOr<AssetRow> PostgresAssets::Update(AssetKind kind,
                                                const std::string& name,
                                                const std::string& version,
                                                const AssetChange& change) {
  PgParams params = KindAndName(kind, name);
  params.Bytes(version);
  AddText(change.description, &params);
  AddText(change.display_name, &params);
  params.Texts(change.remove_tags);
  AddMap(change.set_tags, &params);
  params.Texts(change.remove_properties);
  AddMap(change.set_properties, &params);
  params.Int64(change.modified_us);
  POTOK_RETURN_IF_ERROR(pool_.Query(kUpdateAsset, params).status());
  return Get(kind, name, version);
}

absl::Status PostgresAssets::SetLabel(AssetKind kind,
                                      const std::string& name,
                                      const std::string& label,
                                      const std::optional<std::string>& version) {
  PgParams params = KindAndName(kind, name);
  params.Bytes(label);
  if (!version.has_value()) return pool_.Query(kRemoveLabel, params).status();
  params.Bytes(*version);
  POTOK_ASSIGN_OR_RETURN(const PgResult set, pool_.Query(kSetLabel, params));
  return set.affected() == 1 ? absl::OkStatus() : absl::NotFoundError("not registered");
}

absl::StatusOr<int> PostgresAssets::SetArchived(AssetKind kind,
                                                const std::string& name,
                                                const std::optional<std::string>& version,
                                                bool archived,
                                                std::int64_t now_us) {
  PgParams which = KindAndName(kind, name);
  AddText(version, &which);
  POTOK_ASSIGN_OR_RETURN(const PgResult count, pool_.Query(kCountVersions, which));
  if (count.Int(0, 0) == 0) return absl::NotFoundError("not registered");
  which.Int16(archived ? 1 : 0).Int64(now_us);
  POTOK_ASSIGN_OR_RETURN(const PgResult changed, pool_.Query(kSetArchived, which));
  return static_cast<int>(changed.affected());
}

}  // namespace potok::server
