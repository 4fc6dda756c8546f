// What an order tells a step of where it logs its metrics.
#pragma once

#include <string>

#include "potok/v1/agents.pb.h"
#include "server/domain/effect.h"
#include "server/tracking/step_token.h"

namespace potok::server {

// Thread-safe: changed by nobody once agents can connect.
class StepTracking {
 public:
  // The tokens outlive this.
  explicit StepTracking(const StepTokens& tokens) : tokens_(tokens) {}

  // "http://127.0.0.1:8780". Before agents can connect; without it steps are offered nothing.
  void SetUri(const std::string& uri) { uri_ = uri; }

  // Adds to `start`, which was made of the order, its place and its token; to that of a member of a
  // gang also the token that its members share.
  void Offer(const StartOrder& order, v1::StartAttempt& start) const;

 private:
  const StepTokens& tokens_;
  std::string uri_;
};

}  // namespace potok::server
