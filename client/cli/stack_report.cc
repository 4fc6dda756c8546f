#include "client/cli/stack_report.h"

#include "client/cli/show/machine_object.h"
#include "client/cli/show/machine_text.h"
#include "client/cli/stack/postmaster.h"
#include "client/cli/stack/supervisor.h"
#include "client/cli/text/table.h"
#include "client/potok_client/connection.h"
#include "client/potok_client/machines_client.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

ReportedProcess Reported(const std::string& name, const std::optional<ProcessIdentity>& identity) {
  ReportedProcess process;
  process.state.name = name;
  if (identity.has_value()) process.state.identity = *identity;
  process.uptime = AgeOf(process.state.identity);
  return process;
}

std::string TrimmedContentOf(const std::string& path) {
  std::string text = ContentOf(path);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

StackReport ReportOfStack(const Context& context) {
  StackReport report;
  report.home = context.HomeOfUser();
  const Home& home = report.home;
  report.supervisor_runs = SupervisorRuns(home);
  report.processes.push_back(Reported("supervisor", LiveProcessOf(home.supervisor_pid_file())));
  std::vector<ReportedProcess> kept;
  for (const ProcessState& state : LoadState(home)) {
    ReportedProcess process{state, AgeOf(state.identity)};
    if (!IsAlive(state.identity)) process.state.identity = ProcessIdentity{};
    kept.push_back(std::move(process));
  }
  if (!kept.empty()) {
    report.processes.push_back(kept.front());
    kept.erase(kept.begin());
  }
  report.processes.push_back(Reported("database", PostmasterOf(home)));
  for (ReportedProcess& process : kept) report.processes.push_back(std::move(process));
  const Connection connection(ServerAddress{home.server_address(), "the embedded stack", true});
  absl::Status answer = connection.WaitUntilReachable(absl::Seconds(2));
  if (answer.ok()) {
    absl::StatusOr<std::vector<v1::Machine>> machines =
        MachinesClient(connection.channel()).List(absl::Seconds(10));
    answer = machines.status();
    if (machines.ok()) report.machines = *std::move(machines);
  }
  report.server_answers = answer.ok();
  report.server_error = std::string(answer.message());
  report.http_address = TrimmedContentOf(home.http_address_file());
  return report;
}

Value StackObject(const StackReport& report) {
  Array processes;
  for (const ReportedProcess& process : report.processes) {
    const ProcessState& state = process.state;
    const bool runs = state.identity.pid != 0;
    processes.emplace_back(
        Object{{"name", state.name},
               {"running", runs},
               {"pid", runs ? Value(std::int64_t{state.identity.pid}) : Value()},
               {"uptime_seconds", absl::ToInt64Seconds(process.uptime)},
               {"restarts", state.restarts},
               {"last_end", state.last_end.empty() ? Value() : Value(state.last_end)}});
  }
  Array machines;
  for (const v1::Machine& machine : report.machines) machines.push_back(MachineObject(machine));
  return Value(Object{{"home", report.home.root},
                      {"server", report.home.server_address()},
                      {"server_answers", report.server_answers},
                      {"http", report.http_address},
                      {"database", report.home.postgres()},
                      {"processes", std::move(processes)},
                      {"machines", std::move(machines)}});
}

std::string StackText(const StackReport& report, const TableStyle& style) {
  if (!report.supervisor_runs && !report.server_answers) {
    return fmt::format("Nothing runs at {}; start it with `potok up`\n", report.home.root);
  }
  std::vector<std::vector<std::string>> rows;
  for (const ReportedProcess& process : report.processes) {
    const ProcessState& state = process.state;
    const bool runs = state.identity.pid != 0;
    std::string where;
    if (state.name == "server") {
      where = report.home.server_address();
      if (!report.http_address.empty()) where += "  http://" + report.http_address;
    }
    if (state.name == "database") where = report.home.postgres();
    if (!runs && !state.last_end.empty()) where = "ended: " + state.last_end;
    rows.push_back({state.name,
                    runs ? fmt::format("{}", state.identity.pid) : "-",
                    runs ? ShortDuration(process.uptime) : "not running",
                    fmt::format("{}", state.restarts),
                    where});
  }
  std::string text = fmt::format("Potok at {}\n", report.home.root);
  text += Table({"PROCESS", "PID", "UPTIME", "RESTARTS", "WHERE"}, rows, style);
  if (!report.server_answers)
    return text + "The server does not answer: " + report.server_error + "\n";
  return text + "\n" + MachineTable(report.machines, style);
}

}  // namespace potok::client
