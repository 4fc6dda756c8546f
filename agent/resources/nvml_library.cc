#include "agent/resources/nvml_library.h"

#include "fmt/format.h"

namespace potok::agent::nvml {

absl::StatusOr<std::unique_ptr<Library>> Library::Load(const std::string& path) {
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return absl::NotFoundError(fmt::format("{} not found", path));
  std::unique_ptr<Library> library(new Library(handle));
  if (!library->calls_.complete()) {
    return absl::UnavailableError(fmt::format("{} lacks functions of NVML", path));
  }
  if (const int error = library->calls_.init(); error != kSuccess) {
    return absl::UnavailableError(
        fmt::format("nvmlInit failed with {} (driver not loaded?)", error));
  }
  library->initialised_ = true;
  return library;
}

Library::~Library() {
  if (initialised_) calls_.shutdown();
  dlclose(handle_);
}

}  // namespace potok::agent::nvml
