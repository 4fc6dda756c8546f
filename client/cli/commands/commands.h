// Every command of `potok`, one function and one file each. They add themselves to a parser; what
// the user chose becomes session.chosen. `session` must outlive the parser.
#pragma once

namespace CLI {
class App;
}

namespace potok::client {

struct Session;

void AddUp(CLI::App& app, Session& session);
void AddDown(CLI::App& app, Session& session);
void AddStatus(CLI::App& app, Session& session);
void AddGc(CLI::App& app, Session& session);
void AddWeb(CLI::App& app, Session& session);
void AddSupervise(CLI::App& app, Session& session);
void AddRun(CLI::App& app, Session& session);
void AddCompletion(CLI::App& app, Session& session);
void AddMan(CLI::App& app, Session& session);
void AddProfileCommands(CLI::App& profile, Session& session);

void AddJobCreate(CLI::App& job, Session& session);
void AddJobValidate(CLI::App& job, Session& session);
void AddJobShow(CLI::App& job, Session& session);
void AddJobList(CLI::App& job, Session& session);
void AddJobStream(CLI::App& job, Session& session);
void AddJobLogs(CLI::App& job, Session& session);
void AddJobDownload(CLI::App& job, Session& session);
void AddJobCancel(CLI::App& job, Session& session);
void AddJobExec(CLI::App& job, Session& session);
void AddJobHold(CLI::App& job, Session& session);
void AddJobRelease(CLI::App& job, Session& session);
void AddJobMove(CLI::App& job, Session& session);
void AddJobExplain(CLI::App& job, Session& session);
void AddJobPlan(CLI::App& job, Session& session);
void AddJobWait(CLI::App& job, Session& session);
void AddJobTop(CLI::App& job, Session& session);
void AddJobMetrics(CLI::App& job, Session& session);
void AddJobUpdate(CLI::App& job, Session& session);
void AddJobArchive(CLI::App& job, Session& session);
void AddJobRestore(CLI::App& job, Session& session);
void AddJobClone(CLI::App& job, Session& session);
void AddJobRerun(CLI::App& job, Session& session);
void AddJobDiff(CLI::App& job, Session& session);
void AddJobLineage(CLI::App& job, Session& session);

void AddComponentCommands(CLI::App& component, Session& session);
void AddEnvironmentCommands(CLI::App& environment, Session& session);
void AddDataCommands(CLI::App& data, Session& session);
void AddModelCommands(CLI::App& model, Session& session);
void AddDatastoreCommands(CLI::App& datastore, Session& session);

void AddTeamCommands(CLI::App& team, Session& session);

void AddMachineList(CLI::App& machine, Session& session);
void AddMachineShow(CLI::App& machine, Session& session);

}  // namespace potok::client
