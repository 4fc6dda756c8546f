// How control steps open, make steps of their bodies, and end. Parts of one turn (turn.h); inside
// server/domain only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/pipeline/control.h"
#include "server/domain/turn.h"

namespace potok::server {

// A control step that is Open: where it is and what it has.
struct OpenControl {
  Turn& turn;
  StepKey key;

  const RunRecord& run() const { return turn.state.runs.at(key.run); }
  const Step& step() const { return run().plan->definition(key.index); }
  std::string name() const { return run().plan->NameOf(key.index); }
  const Control& control() const { return *step().control; }
  bool is_open() const { return std::holds_alternative<Open>(run().steps[key.index].state()); }
  // Those made so far.
  const std::vector<BodyRecord>& bodies() const;
  std::uint32_t live() const;
};

// Makes the steps of one more body, with these values for its inputs. False if that cannot be: then
// the control step has failed.
bool AddBody(OpenControl& open,
             const std::string& label,
             const std::vector<OutputValue>& values,
             const std::string& metric);
// The control step's inputs with their values, without the items of a loop.
std::vector<OutputValue> OwnValues(const OpenControl& open);
// What a body's step made for the body's output of that name, or nothing.
std::optional<OutputValue> BodyValue(const OpenControl& open,
                                     const BodyRecord& body,
                                     const std::string& name);
// The outputs of the control step that the body gave, under the control step's names.
std::vector<OutputValue> OutputsOf(const OpenControl& open, const BodyRecord& body);
// "step 'fold[3]/fit' failed: exit code 1": the first that failed, or was canceled.
std::string WhyFailed(const OpenControl& open, const BodyRecord& body);

// The first step of the body that failed; nothing if none has.
std::optional<std::uint32_t> FirstFailed(const RunRecord& run, const BodyRecord& body);

// At once, or once outputs that have a destination are written there.
void SucceedControl(OpenControl& open, std::vector<OutputValue> outputs);
void FailControl(OpenControl& open, const std::string& message);

// What is next, now that bodies of it have ended (or none has been made).
void AdvanceDoWhile(OpenControl& open, const DoWhile& loop);
void AdvanceParallelFor(OpenControl& open, const ParallelFor& loop);
void AdvanceSweep(OpenControl& open, const Sweep& sweep);
void AdvanceGang(OpenControl& open);

}  // namespace potok::server
