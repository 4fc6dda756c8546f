#include <filesystem>
#include <fstream>

#include "client/cli/commands/command.h"
#include "client/cli/commands/tree.h"
#include "client/cli/help/manual.h"
#include "client/cli/version.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

namespace fs = std::filesystem;

struct ManOptions {
  std::string folder;
};

absl::Status WritePages(const std::vector<ManualPage>& pages, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return absl::PermissionDeniedError(
        fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
  }
  for (const ManualPage& page : pages) {
    std::ofstream file(folder / page.file, std::ios::trunc);
    file << page.roff;
    if (!file.flush()) {
      return absl::PermissionDeniedError(
          fmt::format("cannot write {}: is the folder yours, and is there room?",
                      (folder / page.file).string()));
    }
  }
  return absl::OkStatus();
}

int RunMan(Session& session, const ManOptions& options, const CLI::App& app) {
  const Context& context = session.context;
  const std::vector<ManualPage> pages = ManualPages(
      TreeOf(app), kVersion, absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone()));
  const fs::path folder = (fs::path(context.working_folder) / options.folder).lexically_normal();
  const absl::Status written = WritePages(pages, folder);
  if (!written.ok()) return Complain(context, written);
  *context.out << fmt::format("Wrote {} pages to {}; read one: man {}\n",
                              pages.size(),
                              folder.string(),
                              (folder / "potok.1").string())
               << std::flush;
  return kExitOk;
}

}  // namespace

void AddMan(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ManOptions>();
  CommandOptions man =
      AddCommandTo(app,
                   session,
                   "man",
                   "Write the manual pages, one for each command, to a folder",
                   "potok man ~/.local/share/man/man1 && man potok-job-create",
                   [&session, &app, options] { return RunMan(session, *options, app); });
  man.RequiredText("folder", "FOLDER", "Folder, made if need be", &options->folder);
}

}  // namespace potok::client
