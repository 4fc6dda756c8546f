#include "server/store/postgres/transaction.h"

#include "common/base/status_macros.h"

namespace potok::server {

absl::Status InTransaction(PgConnection& connection,
                           const std::string& begin,
                           const std::function<absl::Status()>& body) {
  POTOK_RETURN_IF_ERROR(connection.Execute(begin));
  const absl::Status status = body();
  if (status.ok()) return connection.Execute("COMMIT");
  // A rollback that fails has lost the connection, and with it the transaction: what `body` said
  // is the news.
  if (!connection.broken()) connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace potok::server
