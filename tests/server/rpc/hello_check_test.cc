#include "server/rpc/hello_check.h"

#include <functional>

#include "gmock/gmock.h"
#include "server/rpc/convert.h"

namespace potok::server {
namespace {

using testing::HasSubstr;

MachineChanged Honest() {
  MachineChanged machine;
  machine.name = "gpu-1";
  machine.capacity = {std::int64_t{64} << 30, 16000, 2000};
  machine.gpus = {{0, "A100", std::int64_t{80} << 30, "u0"}, {1, "A100", 0, "u1"}};
  machine.labels = {{"zone", "b"}};
  machine.pools = {"train"};
  return machine;
}

TEST(HelloCheckTest, WhatAMachineCanHaveIsBelieved) {
  EXPECT_EQ(CheckHelloMachine(Honest()), absl::OkStatus());
  EXPECT_EQ(CheckHelloMachine(MachineChanged()), absl::OkStatus());
}

// Thousandths of GPUs were read as whole ones: every machine with a GPU was refused.
TEST(HelloCheckTest, AllThatAHelloOffersIsRead) {
  v1::Hello hello;
  hello.set_machine("gpu-1");
  hello.mutable_capacity()->set_memory_bytes(std::int64_t{1} << 30);
  hello.mutable_capacity()->set_cpu_millis(4000);
  hello.mutable_capacity()->set_gpus(2);
  hello.mutable_capacity()->set_gpu_millis(2000);
  hello.mutable_capacity()->set_disk_bytes(5);
  (*hello.mutable_capacity()->mutable_named())["fpga"] = 3;
  const auto event = FromProto(hello, 1);
  ASSERT_EQ(event.status(), absl::OkStatus());
  const Resources expected{std::int64_t{1} << 30, 4000, 2000, 5, {{"fpga", 3}}};
  EXPECT_EQ(event->machine.capacity, expected);
  hello.mutable_capacity()->set_gpu_millis(0);  // as an older agent says it
  EXPECT_EQ(FromProto(hello, 1)->machine.capacity, expected);
}

TEST(HelloCheckTest, WhatNoMachineHasIsRefusedWithTheValue) {
  struct Lie {
    std::function<void(MachineChanged&)> tell;
    const char* said;
  };
  const std::vector<Lie> lies = {
      {[](MachineChanged& m) { m.capacity.memory_bytes = -1; }, "bytes (--memory) is -1;"},
      {[](MachineChanged& m) { m.capacity.memory_bytes = 1'000'000'000'000'000'000; },
       "(--memory) is 1000000000000000000; 0 to 1125899906842624 can be"},
      {[](MachineChanged& m) { m.capacity.cpu_millis = -5; }, "(--cpus) is -5;"},
      {[](MachineChanged& m) { m.capacity.gpu_millis = 100'000'000; },
       "(--gpus) is 100000000; 0 to 1024000 can be"},
      {[](MachineChanged& m) { m.capacity.gpu_millis = 1500; }, "it has 1.5 GPUs; a machine has"},
      {[](MachineChanged& m) { m.capacity.disk_bytes = -1; }, "disk_bytes"},
      {[](MachineChanged& m) { m.capacity.named["cpus"] = 1; }, "'cpus' cannot name a resource"},
      {[](MachineChanged& m) { m.gpus[1].index = 0; }, "GPU 0 is described twice"},
      {[](MachineChanged& m) { m.gpus[1].index = -1; }, "index of a GPU is -1"},
      {[](MachineChanged& m) { m.gpus[0].memory_bytes = -1; }, "memory of a GPU in bytes is -1"},
      {[](MachineChanged& m) { m.gpus[0].model = std::string(300, 'A'); }, "longer than 255 bytes"},
      {[](MachineChanged& m) { m.gpus.resize(2000); }, "number of GPUs described is 2000"},
      {[](MachineChanged& m) { m.pools.assign(65, "p"); }, "declares 65 pools; 64 can be"},
      {[](MachineChanged& m) { m.pools = {""}; }, "the name of a pool has 0 bytes"},
      {[](MachineChanged& m) {
         for (int i = 0; i < 10'000; ++i) m.labels["l" + std::to_string(i)] = "x";
       },
       "a machine carries up to 64 labels, not 10001"},
      {[](MachineChanged& m) { m.labels["a\nb"] = "x"; }, "'a?b' is no name for a label"}};
  for (const Lie& lie : lies) {
    MachineChanged machine = Honest();
    lie.tell(machine);
    const absl::Status status = CheckHelloMachine(machine);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << lie.said;
    EXPECT_THAT(std::string(status.message()), HasSubstr(lie.said));
    EXPECT_THAT(std::string(status.message()), HasSubstr("the agent of machine gpu-1 was refused"));
  }
}

}  // namespace
}  // namespace potok::server
