#include "client/cli/options.h"

#include "client/cli/text/query.h"
#include "common/base/status_macros.h"

namespace potok::client {
namespace {

// Enough for a server that is just being started again.
constexpr absl::Duration kConnectPatience = absl::Seconds(5);

}  // namespace

absl::StatusOr<Connection> Connect(const Context& context, const CommonOptions& options) {
  POTOK_ASSIGN_OR_RETURN(
      ServerAddress address,
      FindServer(options.server, context.environment, context.HomeOfUser().server_address()));
  Connection connection(std::move(address));
  POTOK_RETURN_IF_ERROR(connection.WaitUntilReachable(kConnectPatience));
  return connection;
}

int PrintObject(const Context& context,
                const CommonOptions& options,
                DefaultOutput by_default,
                const Value& value,
                const std::function<std::string()>& people) {
  std::string output = options.output;
  if (output.empty()) {
    const bool json = by_default == DefaultOutput::kJsonUnlessTerminal && !context.out_is_terminal;
    output = json || !options.query.empty() ? "json" : "table";
  }
  Value shown = value;
  if (!options.query.empty()) {
    absl::StatusOr<Value> found = Query(value, options.query);
    if (!found.ok()) return Complain(context, found.status());
    shown = *std::move(found);
    if (output == "table") output = "yaml";
  }
  if (output == "json") {
    *context.out << ToJson(shown);
  } else if (output == "yaml") {
    *context.out << ToYaml(shown);
  } else if (output == "tsv") {
    *context.out << ToTsv(shown);
  } else {
    *context.out << people();
  }
  context.out->flush();
  return kExitOk;
}

}  // namespace potok::client
