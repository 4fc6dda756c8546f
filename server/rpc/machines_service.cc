#include "server/rpc/machines_service.h"

#include <algorithm>
#include <future>
#include <map>
#include <utility>

#include "common/base/machine_labels.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/domain/pools.h"
#include "server/rpc/convert.h"

namespace potok::server {

namespace {

constexpr int kMachinesNamedMax = 1000;
constexpr std::size_t kReasonMax = 1000;  // bytes
constexpr std::size_t kByMax = 255;       // bytes
constexpr absl::Duration kDeadlineMax = absl::Hours(24 * 365);
constexpr absl::Duration kAnswerWait = absl::Seconds(30);

// Of any request that says something of machines.
template <class Request>
absl::Status CheckRequest(const Request& request) {
  if (request.names().empty() || request.names_size() > kMachinesNamedMax) {
    return absl::InvalidArgumentError(
        fmt::format("names holds the names of 1 to {} machines, not {}",
                    kMachinesNamedMax,
                    request.names_size()));
  }
  if (request.reason().size() > kReasonMax) {
    return absl::InvalidArgumentError(
        fmt::format("the reason has {} bytes; {} fit", request.reason().size(), kReasonMax));
  }
  if (request.by().size() > kByMax) {
    return absl::InvalidArgumentError(
        fmt::format("by has {} bytes; {} fit", request.by().size(), kByMax));
  }
  return absl::OkStatus();
}

absl::StatusOr<MachinesCordoned> EventOf(const v1::CordonMachinesRequest& request) {
  POTOK_RETURN_IF_ERROR(CheckRequest(request));
  MachinesCordoned event;
  event.machines = {request.names().begin(), request.names().end()};
  event.drain = request.drain();
  event.by = request.by();
  event.reason = request.reason();
  if (!request.has_deadline_us()) return event;
  event.deadline = absl::Microseconds(request.deadline_us());
  if (!request.drain()) {
    return absl::InvalidArgumentError("a deadline is of a drain; a cordon stops nothing");
  }
  if (event.deadline < absl::ZeroDuration() || event.deadline > kDeadlineMax) {
    return absl::InvalidArgumentError(
        fmt::format("the deadline is a time from now, up to {}, not {}",
                    absl::FormatDuration(kDeadlineMax),
                    absl::FormatDuration(event.deadline)));
  }
  return event;
}

absl::StatusOr<MachinesLabeled> EventOf(const v1::LabelMachinesRequest& request) {
  POTOK_RETURN_IF_ERROR(CheckRequest(request));
  const auto edits = static_cast<std::size_t>(request.set().size()) +
                     static_cast<std::size_t>(request.remove_size());
  if (edits == 0) return absl::InvalidArgumentError("no label is set or removed");
  if (edits > kMachineLabelsMax) {
    return absl::InvalidArgumentError(fmt::format(
        "a machine carries up to {} labels, and {} are edited", kMachineLabelsMax, edits));
  }
  MachinesLabeled event;
  event.machines = {request.names().begin(), request.names().end()};
  event.by = request.by();
  event.reason = request.reason();
  for (const auto& [name, value] : request.set()) {
    POTOK_RETURN_IF_ERROR(CheckMachineLabel(name, value));
    event.labels[name] = value;
  }
  for (const std::string& name : request.remove()) {
    POTOK_RETURN_IF_ERROR(CheckMachineLabelName(name));
    if (!event.labels.emplace(name, std::nullopt).second) {
      return absl::InvalidArgumentError(
          fmt::format("the label '{}' is both set and removed, or removed twice", name));
    }
  }
  return event;
}

}  // namespace

absl::StatusOr<std::vector<v1::Machine>> MachinesService::Machines() {
  auto promise = std::make_shared<std::promise<std::vector<v1::Machine>>>();
  std::future<std::vector<v1::Machine>> answer = promise->get_future();
  const bool asked = scheduler_.Ask(
      [promise, options = options_, usage = switchboard_.usage()](const State& state) {
        const Pools pools(state, options);
        promise->set_value(MachinesToProto(state, pools, usage));
      });
  if (!asked || answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
    return absl::UnavailableError(
        "the scheduler does not answer (its database may be away, or the server is stopping); try "
        "again");
  }
  return answer.get();
}

grpc::Status MachinesService::List(grpc::ServerContext* /*context*/,
                                   const v1::ListMachinesRequest* /*request*/,
                                   v1::ListMachinesResponse* response) {
  auto machines = Machines();
  if (!machines.ok()) return ToGrpc(machines.status());
  for (v1::Machine& machine : *machines) *response->add_machines() = std::move(machine);
  return grpc::Status::OK;
}

grpc::Status MachinesService::Get(grpc::ServerContext* /*context*/,
                                  const v1::GetMachineRequest* request,
                                  v1::Machine* response) {
  auto machine = MachineNamed(request->name());
  if (!machine.ok()) return ToGrpc(machine.status());
  *response = *std::move(machine);
  return grpc::Status::OK;
}

absl::StatusOr<v1::Machine> MachinesService::MachineNamed(const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(std::vector<v1::Machine> machines, Machines());
  const auto found = std::ranges::find_if(
      machines, [&](const v1::Machine& machine) { return machine.name() == name; });
  if (found != machines.end()) return std::move(*found);
  return absl::NotFoundError(
      fmt::format("no machine '{}' is known; 'potok machine list' shows those that are", name));
}

absl::Status MachinesService::Decide(Event event, Replies::Pending pending) {
  if (!scheduler_.Post(std::move(event))) {
    return absl::ResourceExhaustedError(
        "the server has too much to do; try again in a few seconds");
  }
  return replies_.Wait(std::move(pending), kAnswerWait).status();
}

grpc::Status MachinesService::DecideAndShow(Event event,
                                            Replies::Pending pending,
                                            const Names& names,
                                            v1::MachinesResponse* response) {
  const absl::Status decided = Decide(std::move(event), std::move(pending));
  if (!decided.ok()) return ToGrpc(decided);
  const auto machines = Machines();
  if (!machines.ok()) return ToGrpc(machines.status());
  std::map<std::string, const v1::Machine*> by_name;
  for (const v1::Machine& machine : *machines) by_name[machine.name()] = &machine;
  for (const std::string& name : names) {
    if (by_name.contains(name)) *response->add_machines() = *by_name.at(name);
  }
  return grpc::Status::OK;
}

grpc::Status MachinesService::Cordon(grpc::ServerContext* /*context*/,
                                     const v1::CordonMachinesRequest* request,
                                     v1::MachinesResponse* response) {
  auto event = EventOf(*request);
  if (!event.ok()) return ToGrpc(event.status());
  Replies::Pending pending = replies_.Expect();
  event->reply = pending.token;
  return DecideAndShow(*std::move(event), std::move(pending), request->names(), response);
}

grpc::Status MachinesService::Uncordon(grpc::ServerContext* /*context*/,
                                       const v1::UncordonMachinesRequest* request,
                                       v1::MachinesResponse* response) {
  const absl::Status checked = CheckRequest(*request);
  if (!checked.ok()) return ToGrpc(checked);
  Replies::Pending pending = replies_.Expect();
  MachinesUncordoned event{pending.token,
                           {request->names().begin(), request->names().end()},
                           request->by(),
                           request->reason()};
  return DecideAndShow(std::move(event), std::move(pending), request->names(), response);
}

grpc::Status MachinesService::Label(grpc::ServerContext* /*context*/,
                                    const v1::LabelMachinesRequest* request,
                                    v1::MachinesResponse* response) {
  auto event = EventOf(*request);
  if (!event.ok()) return ToGrpc(event.status());
  Replies::Pending pending = replies_.Expect();
  event->reply = pending.token;
  return DecideAndShow(*std::move(event), std::move(pending), request->names(), response);
}

grpc::Status MachinesService::DeclareDead(grpc::ServerContext* /*context*/,
                                          const v1::DeclareDeadRequest* request,
                                          v1::Machine* response) {
  Replies::Pending pending = replies_.Expect();
  MachineDeclaredDead event{pending.token, request->name()};
  const absl::Status decided = Decide(std::move(event), std::move(pending));
  if (!decided.ok()) return ToGrpc(decided);
  auto machine = MachineNamed(request->name());
  if (!machine.ok()) return ToGrpc(machine.status());
  *response = *std::move(machine);
  return grpc::Status::OK;
}

}  // namespace potok::server
