// The table run_terms: what runs are found by besides their columns.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/domain/change.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// Inside a transaction. Idempotent.
absl::Status WriteRunTerms(PgConnection& connection, const std::vector<const RunAdded*>& runs);

// The same of a run that was edited: its old terms go. Inside a transaction.
absl::Status RewriteRunTerms(PgConnection& connection, const RunAdded& run);

// Inside a migration: the terms of all runs that were there before.
absl::Status FillRunTerms(PgConnection& connection);

// The conditions on `runs` for submitter, tags and text of the filter; appends their parameters.
std::vector<std::string> TermConditions(const RunFilter& filter, PgParams* params);

}  // namespace potok::server
