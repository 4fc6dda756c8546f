#include "client/cli/commands/command.h"
#include "client/potok_client/admin_client.h"

namespace potok::client {
namespace {

struct WebOptions {
  CommonOptions common;
};

int RunWeb(Session& session, const WebOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<std::string> link = CreateWebLink(connection->channel());
  if (!link.ok()) return Complain(context, link.status());
  *context.out << *link << std::endl;
  if (context.err_is_terminal) {
    *context.err << "Opens the web pages in one browser, once, within 5 minutes.\n";
  }
  return kExitOk;
}

}  // namespace

void AddWeb(CLI::App& app, Session& session) {
  const auto options = std::make_shared<WebOptions>();
  CommandOptions web = AddCommand(app,
                                  session,
                                  "web",
                                  "Print a link that opens the web pages in one browser",
                                  "xdg-open \"$(potok web)\"",
                                  options,
                                  RunWeb);
  AddServerOptions(web, &options->common);
}

}  // namespace potok::client
