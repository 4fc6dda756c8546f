// The groups `machine` and `compute`: what only their own files and the command line need.
#pragma once

namespace CLI {
class App;
}

namespace potok::client {

struct Session;

void AddMachineCordon(CLI::App& machine, Session& session);
void AddMachineUncordon(CLI::App& machine, Session& session);
void AddMachineDrain(CLI::App& machine, Session& session);
void AddMachineLabel(CLI::App& machine, Session& session);
void AddMachineDeclareDead(CLI::App& machine, Session& session);

void AddComputeCommands(CLI::App& compute, Session& session);

}  // namespace potok::client
