// The YAML front end: a job file and a component file beside it, as in the cases of
// tests/client/frontend. The component follows a line "#--component"; lines "#--set a=b" are
// overrides.
#include <fstream>
#include <sstream>

#include "client/frontend/azureml/load.h"
#include "common/pipeline/validate.h"
#include "tests/fuzz/fuzz.h"

namespace potok::client {
namespace {

void Write(const std::string& name, const std::string& text) {
  std::ofstream stream(PrivateFolder() + "/" + name, std::ios::binary);
  stream << text;
  POTOK_CHECK(stream.flush());
}

std::vector<std::string> OverridesIn(const std::string& text) {
  const std::string prefix = "#--set ";
  std::vector<std::string> overrides;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) overrides.push_back(line.substr(prefix.size()));
  }
  return overrides;
}

void Check(const Loaded& loaded) {
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    POTOK_CHECK(!ToString(diagnostic).empty());
  }
  if (loaded.HasErrors()) {
    POTOK_CHECK(!loaded.diagnostics.empty());
    return;
  }
  // What the front end lets through the server does not refuse.
  for (const Problem& problem : Validate(*loaded.spec)) {
    POTOK_CHECK(problem.severity == Severity::kWarning);
  }
}

}  // namespace
}  // namespace potok::client

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::client;
  const std::string text = TextOf(data, size);
  const std::string mark = "\n#--component\n";
  const std::size_t at = text.find(mark);
  Write("job.yml", text.substr(0, at));
  Write("component.yml", at == std::string::npos ? "" : text.substr(at + mark.size()));
  LoadOptions options;
  options.set = OverridesIn(text);
  Check(LoadJob(PrivateFolder() + "/job.yml", options));
  return 0;
}
