#include "client/cli/options.h"

#include "client/cli/profiles.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/query.h"
#include "common/base/status_macros.h"

namespace potok::client {
absl::StatusOr<ServerAddress> ServerOf(const Context& context, const CommonOptions& options) {
  const std::string embedded = context.HomeOfUser().server_address();
  const bool is_set = !context.Variable("POTOK_SERVER").empty() && options.profile.empty();
  if (!options.server.empty() || is_set) {
    return FindServer(options.server, context.environment, embedded);
  }
  POTOK_ASSIGN_OR_RETURN(const std::optional<Profile> profile,
                         ChosenProfile(context, options.profile));
  if (!profile.has_value()) return FindServer("", context.environment, embedded);
  return ServerAddress{profile->server, "profile " + profile->name};
}

absl::StatusOr<Connection> Connect(const Context& context,
                                   const CommonOptions& options,
                                   absl::Duration patience) {
  POTOK_ASSIGN_OR_RETURN(ServerAddress address, ServerOf(context, options));
  Connection connection(std::move(address));
  POTOK_RETURN_IF_ERROR(connection.WaitUntilReachable(patience));
  return connection;
}

namespace {

std::string FormOf(const Context& context, const CommonOptions& options, DefaultOutput by_default) {
  // Colours of JSON and YAML are not Potok's.
  if (options.output == "jsonc") return "json";
  if (options.output == "yamlc") return "yaml";
  if (!options.output.empty()) return options.output;
  const bool json = by_default == DefaultOutput::kJsonUnlessTerminal && !context.out_is_terminal;
  return json || !options.query.empty() ? "json" : "table";
}

absl::StatusOr<std::string> QueriedTable(const Context& context, const Value& found) {
  const TableCells cells = CellsOf(found);
  if (cells.rows.empty()) return std::string("\n");
  if (cells.headings.empty()) {
    return absl::FailedPreconditionError(
        "what the query found has no columns for a table: write them as --query "
        "\"[].{Name:name}\", "
        "or choose -o json");
  }
  TableStyle style = StyleOf(context);
  style.beyond_heading = 2;
  return Table(cells.headings, cells.rows, style);
}

}  // namespace

int PrintObject(const Context& context,
                const CommonOptions& options,
                DefaultOutput by_default,
                const Value& value,
                const std::function<std::string()>& people) {
  const std::string form = FormOf(context, options, by_default);
  const bool is_query = !options.query.empty();
  absl::StatusOr<Value> shown = Sorted(value);
  if (is_query) shown = Query(*shown, options.query);
  if (!shown.ok()) return Complain(context, shown.status());
  if (form == "none" || shown->IsNull()) return kExitOk;
  absl::StatusOr<std::string> text;
  if (form == "json") {
    text = ToJson(Sorted(*shown));
  } else if (form == "yaml") {
    text = ToYaml(is_query ? *shown : value);
  } else if (form == "tsv") {
    text = ToTsv(*shown);
  } else {
    text = is_query ? QueriedTable(context, *shown) : people();
  }
  if (!text.ok()) return Complain(context, text.status());
  *context.out << *text << std::flush;
  return kExitOk;
}

}  // namespace potok::client
