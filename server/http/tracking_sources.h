// What a port needs to take what steps log.
#pragma once

namespace potok::server {

class LoggedFiles;
class MlflowApi;
class StepTokens;

// All outlive the port.
struct TrackingSources {
  const MlflowApi* api = nullptr;
  LoggedFiles* files = nullptr;
  const StepTokens* tokens = nullptr;
};

}  // namespace potok::server
