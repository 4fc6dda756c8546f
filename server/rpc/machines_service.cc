#include "server/rpc/machines_service.h"

#include <algorithm>
#include <future>
#include <utility>

#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/rpc/convert.h"

namespace potok::server {

absl::StatusOr<std::vector<v1::Machine>> MachinesService::Machines() {
  auto promise = std::make_shared<std::promise<std::vector<v1::Machine>>>();
  std::future<std::vector<v1::Machine>> answer = promise->get_future();
  const bool asked = scheduler_.Ask([promise, usage = switchboard_.usage()](const State& state) {
    std::vector<v1::Machine> machines;
    machines.reserve(state.machines.size());
    for (const auto& [id, machine] : state.machines)
      machines.push_back(ToProto(machine, state, usage));
    promise->set_value(std::move(machines));
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
  auto machines = Machines();
  if (!machines.ok()) return ToGrpc(machines.status());
  const auto found = std::ranges::find_if(
      *machines, [&](const v1::Machine& machine) { return machine.name() == request->name(); });
  if (found == machines->end()) {
    return ToGrpc(absl::NotFoundError(fmt::format(
        "no machine '{}' is known; 'potok machine list' shows those that are", request->name())));
  }
  *response = std::move(*found);
  return grpc::Status::OK;
}

}  // namespace potok::server
