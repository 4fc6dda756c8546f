#include "client/cli/commands/notify_options.h"

#include <map>

#include "common/pipeline/webhooks.h"

namespace potok::client {

void AddNotifyOptions(CommandOptions& command, NotifyOptions* options) {
  command.Texts("--notify", "URL", "Webhook that is told when the run has ended", &options->urls);
  command.Choice("--notify-on",
                 {"ended", "failed"},
                 "Tell webhooks of every end (default), or only of a failure",
                 &options->on);
  command.Check([options] {
    std::map<std::string, std::string> properties;
    return AddWebhooks(options->urls, "", &properties);
  });
}

absl::Status SetNotify(const NotifyOptions& options, PipelineSpec* spec) {
  return AddWebhooks(options.urls, options.on, &spec->properties);
}

}  // namespace potok::client
