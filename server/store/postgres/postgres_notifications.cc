#include "server/store/postgres/postgres_notifications.h"

#include "common/base/status_macros.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

const Statement kForgetReceivers = {
    "forget receivers",
    "DELETE FROM notification_receivers r WHERE NOT EXISTS (SELECT FROM "
    "unnest($1::smallint[], $2::bytea[]) AS given (kind, address) "
    "WHERE given.kind = r.kind AND given.address = r.address)"};
// The journal keeps its last row.
const Statement kAddReceiver = {
    "add receiver",
    "INSERT INTO notification_receivers (kind, address, since) SELECT $1::smallint, $2::bytea, "
    "coalesce((SELECT max(revision) FROM journal), 0) ON CONFLICT DO NOTHING"};
const Statement kReadReceiver = {
    "read receiver",
    "SELECT since FROM notification_receivers WHERE kind = $1::smallint AND address = $2::bytea"};
const Statement kEndedRuns = {
    "ended runs", "SELECT run, revision FROM ended_runs ORDER BY revision, run LIMIT $1::bigint"};
const Statement kSettleRun = {"settle run", "DELETE FROM ended_runs WHERE run = $1::bigint"};
const Statement kAddNotification = {
    "add notification",
    "INSERT INTO notifications (id, run, kind, address, body, state, tries, last_error, "
    "created_us, next_us, finished_us) VALUES ($1::text, $2::bigint, $3::smallint, $4::bytea, "
    "$5::bytea, 1, 0, '', $6::bigint, $7::bigint, 0)"};
const Statement kDueNotifications = {
    "due notifications",
    "SELECT id, run, kind, address, body, state, tries, last_error, created_us, next_us, "
    "finished_us FROM (SELECT DISTINCT ON (kind, address) * FROM notifications n "
    "WHERE state = 1 AND next_us <= $1::bigint AND NOT EXISTS (SELECT FROM "
    "unnest($2::smallint[], $3::bytea[]) AS busy (kind, address) "
    "WHERE busy.kind = n.kind AND busy.address = n.address) "
    "ORDER BY kind, address, next_us, id) AS first ORDER BY next_us, id LIMIT $4::bigint"};
const Statement kNextNotification = {"next notification",
                                     "SELECT min(next_us) FROM notifications WHERE state = 1"};
const Statement kPutNotification = {
    "put notification",
    "UPDATE notifications SET state = $2::smallint, tries = $3::integer, last_error = $4::bytea, "
    "next_us = $5::bigint, finished_us = $6::bigint WHERE id = $1::text"};
const Statement kNotificationsOfRun = {
    "notifications of run",
    "SELECT id, run, kind, address, ''::bytea, state, tries, last_error, created_us, next_us, "
    "finished_us FROM notifications WHERE run = $1::bigint ORDER BY kind, address, id"};
const Statement kDeleteFinished = {
    "delete finished notifications",
    "DELETE FROM notifications WHERE state <> 1 AND finished_us < $1::bigint"};

// 0 where there is none.
std::int64_t MicrosOf(absl::Time time) {
  return time == absl::InfiniteFuture() || time == absl::Time() ? 0 : absl::ToUnixMicros(time);
}

// Two arrays: kinds and addresses.
PgParams& AddReceivers(const std::vector<Receiver>& receivers, PgParams& params) {
  std::vector<int> kinds;
  std::vector<std::string> addresses;
  for (const Receiver& receiver : receivers) {
    kinds.push_back(static_cast<int>(receiver.kind));
    addresses.push_back(receiver.address);
  }
  return params.Int16s(kinds).ByteStrings(addresses);
}

Delivery DeliveryFrom(const PgResult& rows, int row) {
  Delivery delivery;
  delivery.id = rows.Bytes(row, 0);
  delivery.run = rows.Int(row, 1);
  delivery.receiver = {static_cast<ReceiverKind>(rows.Int(row, 2)), rows.Bytes(row, 3)};
  delivery.body = rows.Bytes(row, 4);
  delivery.state = static_cast<DeliveryState>(rows.Int(row, 5));
  delivery.tries = rows.Int(row, 6);
  delivery.last_error = rows.Bytes(row, 7);
  delivery.created = absl::FromUnixMicros(rows.Int(row, 8));
  delivery.next_try = absl::FromUnixMicros(rows.Int(row, 9));
  delivery.finished = absl::FromUnixMicros(rows.Int(row, 10));
  return delivery;
}

}  // namespace

absl::StatusOr<std::vector<std::int64_t>> PostgresNotifications::Begin(
    const std::vector<Receiver>& receivers) {
  std::vector<std::int64_t> from;
  const absl::Status begun = pool_.Use([&](PgConnection& connection) {
    return InTransaction(connection, kReadWrite, [&]() -> absl::Status {
      PgParams given;
      AddReceivers(receivers, given);
      POTOK_RETURN_IF_ERROR(connection.Run(kForgetReceivers, given).status());
      from.clear();
      for (const Receiver& receiver : receivers) {
        PgParams params;
        params.Int16(static_cast<int>(receiver.kind)).Bytes(receiver.address);
        POTOK_RETURN_IF_ERROR(connection.Run(kAddReceiver, params).status());
        POTOK_ASSIGN_OR_RETURN(const PgResult since, connection.Run(kReadReceiver, params));
        from.push_back(since.Int(0, 0) + 1);
      }
      return absl::OkStatus();
    });
  });
  if (!begun.ok()) return begun;
  return from;
}

absl::StatusOr<std::vector<EndedRun>> PostgresNotifications::Ended(int limit) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kEndedRuns, PgParams().Int64(limit)));
  return FromRows(rows, [](const PgResult& all, int row) {
    return EndedRun{all.Int(row, 0), all.Int(row, 1)};
  });
}

absl::Status PostgresNotifications::Settle(RunId run, const std::vector<Delivery>& deliveries) {
  return pool_.Use([&](PgConnection& connection) {
    return InTransaction(connection, kReadWrite, [&]() -> absl::Status {
      POTOK_ASSIGN_OR_RETURN(const PgResult removed,
                             connection.Run(kSettleRun, PgParams().Int64(run)));
      if (removed.affected() == 0) return absl::OkStatus();
      for (const Delivery& delivery : deliveries) {
        PgParams params;
        params.Bytes(delivery.id).Int64(run).Int16(static_cast<int>(delivery.receiver.kind));
        params.Bytes(delivery.receiver.address).Bytes(delivery.body);
        params.Int64(MicrosOf(delivery.created)).Int64(MicrosOf(delivery.next_try));
        POTOK_RETURN_IF_ERROR(connection.Run(kAddNotification, params).status());
      }
      return absl::OkStatus();
    });
  });
}

absl::StatusOr<std::vector<Delivery>> PostgresNotifications::Due(absl::Time now,
                                                                 const std::vector<Receiver>& busy,
                                                                 int limit) {
  PgParams params;
  params.Int64(absl::ToUnixMicros(now));
  AddReceivers(busy, params).Int64(limit);
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kDueNotifications, params));
  return FromRows(rows, &DeliveryFrom);
}

absl::StatusOr<absl::Time> PostgresNotifications::NextDue() {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kNextNotification, PgParams()));
  if (rows.IsNull(0, 0)) return absl::InfiniteFuture();
  return absl::FromUnixMicros(rows.Int(0, 0));
}

absl::Status PostgresNotifications::Put(const Delivery& delivery) {
  PgParams params;
  params.Bytes(delivery.id).Int16(static_cast<int>(delivery.state)).Int32(delivery.tries);
  params.Bytes(delivery.last_error).Int64(MicrosOf(delivery.next_try));
  params.Int64(MicrosOf(delivery.finished));
  return pool_.Query(kPutNotification, params).status();
}

absl::StatusOr<std::vector<Delivery>> PostgresNotifications::OfRun(RunId run) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         pool_.Query(kNotificationsOfRun, PgParams().Int64(run)));
  return FromRows(rows, &DeliveryFrom);
}

absl::Status PostgresNotifications::DeleteFinished(absl::Time before) {
  return pool_.Query(kDeleteFinished, PgParams().Int64(MicrosOf(before))).status();
}

}  // namespace potok::server
