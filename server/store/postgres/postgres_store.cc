#include "server/store/postgres/postgres_store.h"

#include <utility>

#include "common/base/status_macros.h"
#include "server/store/postgres/claims.h"
#include "server/store/postgres/journal_table.h"
#include "server/store/postgres/loader.h"
#include "server/store/postgres/migrations.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/postgres/postgres_assets.h"
#include "server/store/postgres/postgres_projector.h"
#include "server/store/postgres/postgres_reader.h"
#include "server/store/postgres/postgres_retention.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

// The writer. `in_turn_` is true while the transaction that ClaimInTurn began is open.
class PostgresStore final : public Store {
 public:
  PostgresStore(std::string url, PostgresProjector* projector)
      : url_(std::move(url)), projector_(projector) {}

  absl::StatusOr<Loaded> Load() override;
  absl::StatusOr<std::vector<std::optional<std::string>>> ClaimInTurn(
      const std::vector<Claim>& claims) override;
  absl::Status Commit(const Batch& batch, const std::vector<Claim>& claims) override;
  absl::StatusOr<std::int64_t> ReadEpoch() override;

 private:
  absl::Status Connect();
  absl::Status RollBack();
  // Begins the turn's transaction and makes its claims.
  absl::StatusOr<std::vector<std::optional<std::string>>> Begin(const std::vector<Claim>& claims);
  absl::Status AppendInTurn(const JournalRow& row, const std::vector<Claim>& claims);
  // Passes `status` on, after dropping what it makes useless.
  absl::Status Noted(absl::Status status);

  const std::string url_;
  PostgresProjector* const projector_;
  std::unique_ptr<PgConnection> connection_;
  bool in_turn_ = false;
};

absl::Status PostgresStore::Connect() {
  if (connection_ != nullptr && !connection_->broken()) return absl::OkStatus();
  in_turn_ = false;
  connection_.reset();
  POTOK_ASSIGN_OR_RETURN(connection_, PgConnection::Open(url_));
  return absl::OkStatus();
}

absl::Status PostgresStore::Noted(absl::Status status) {
  if (absl::IsUnavailable(status)) {
    connection_.reset();
    in_turn_ = false;
  }
  return status;
}

absl::Status PostgresStore::RollBack() {
  if (!in_turn_) return absl::OkStatus();
  in_turn_ = false;
  return connection_->Execute("ROLLBACK");
}

absl::StatusOr<Loaded> PostgresStore::Load() {
  POTOK_RETURN_IF_ERROR(projector_->CatchUp());
  POTOK_RETURN_IF_ERROR(Connect());
  POTOK_RETURN_IF_ERROR(Noted(RollBack()));
  absl::StatusOr<Loaded> loaded = ReadLive(*connection_);
  Noted(loaded.status()).IgnoreError();
  return loaded;
}

absl::StatusOr<std::vector<std::optional<std::string>>> PostgresStore::Begin(
    const std::vector<Claim>& claims) {
  POTOK_RETURN_IF_ERROR(RollBack());
  POTOK_RETURN_IF_ERROR(connection_->Execute(kReadWrite));
  in_turn_ = true;
  return MakeClaims(*connection_, claims);
}

absl::StatusOr<std::vector<std::optional<std::string>>> PostgresStore::ClaimInTurn(
    const std::vector<Claim>& claims) {
  POTOK_RETURN_IF_ERROR(Connect());
  auto answers = Begin(claims);
  if (!answers.ok()) {
    POTOK_RETURN_IF_ERROR(Noted(answers.status()));
    RollBack().IgnoreError();
  }
  return answers;
}

absl::Status PostgresStore::AppendInTurn(const JournalRow& row, const std::vector<Claim>& claims) {
  if (!in_turn_) {
    // The turn's transaction was lost, so its claims are made again. That one of them is found
    // taken means that our own commit had succeeded, or that another server has written: in both
    // cases the journal refuses the row, and says which.
    POTOK_RETURN_IF_ERROR(Begin(claims).status());
  }
  POTOK_RETURN_IF_ERROR(AppendRow(*connection_, row));
  in_turn_ = false;
  return connection_->Execute("COMMIT");
}

absl::Status PostgresStore::Commit(const Batch& batch, const std::vector<Claim>& claims) {
  POTOK_RETURN_IF_ERROR(Connect());
  const JournalRow row = JournalRowOf(batch);
  // Without claims one INSERT is its own transaction. If its outcome stays unknown the next try
  // finds the row: it waits for a backend that is still inserting it.
  absl::Status status =
      in_turn_ || !claims.empty() ? AppendInTurn(row, claims) : AppendRow(*connection_, row);
  if (absl::IsUnavailable(status)) return Noted(status);
  if (!status.ok()) {
    const absl::Status rolled_back = RollBack();
    if (absl::IsUnavailable(rolled_back)) return Noted(rolled_back);
  }
  if (absl::IsAlreadyExists(status)) {
    status = CheckOurs(*connection_, row);
    if (absl::IsUnavailable(status)) return Noted(status);
  }
  if (status.ok() || absl::IsFailedPrecondition(status)) return status;
  // The statement failed on a connection that stands: certainly nothing is there.
  return absl::AbortedError(std::string(status.message()));
}

absl::StatusOr<std::int64_t> PostgresStore::ReadEpoch() {
  POTOK_RETURN_IF_ERROR(Connect());
  absl::StatusOr<std::int64_t> epoch = ReadHighestEpoch(*connection_);
  if (!epoch.ok()) {
    // An error has ended the turn's transaction, too.
    RollBack().IgnoreError();
    Noted(epoch.status()).IgnoreError();
  }
  return epoch;
}

}  // namespace

absl::StatusOr<StoreBundle> OpenPostgres(const std::string& url) {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<PgConnection> connection, PgConnection::Open(url));
  POTOK_RETURN_IF_ERROR(Migrate(*connection));
  auto projector = std::make_unique<PostgresProjector>(url);
  StoreBundle bundle;
  bundle.store = std::make_unique<PostgresStore>(url, projector.get());
  bundle.projector = std::move(projector);
  bundle.reader = std::make_unique<PostgresReader>(url);
  bundle.assets = std::make_unique<PostgresAssets>(url);
  bundle.retention = std::make_unique<PostgresRetention>(url);
  return bundle;
}

}  // namespace potok::server
