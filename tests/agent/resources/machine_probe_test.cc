#include "agent/resources/machine_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/sysinfo.h>

#include <thread>

#include "agent/resources/nvml.h"
#include "agent/resources/nvml_meter.h"

namespace potok::agent {
namespace {

TEST(MachineProbeTest, TellsNoMoreMemoryThanTheMachineHas) {
  struct sysinfo info = {};
  ASSERT_EQ(sysinfo(&info), 0);
  const MachineFacts facts = ProbeMachine();
  EXPECT_GT(facts.capacity.memory_bytes, std::int64_t{16} << 20);
  EXPECT_LE(facts.capacity.memory_bytes,
            static_cast<std::int64_t>(info.totalram) * static_cast<std::int64_t>(info.mem_unit));
}

TEST(MachineProbeTest, CountsOnlyTheCpusThatThisProcessMayUse) {
  // In a thread of its own, whose mask goes with it.
  std::thread([] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    int first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    ASSERT_EQ(sched_setaffinity(0, sizeof(allowed), &allowed), 0);
    const MachineFacts facts = ProbeMachine();
    EXPECT_GT(facts.capacity.cpu_millis, 0);
    EXPECT_LE(facts.capacity.cpu_millis, 1000);
  }).join();
}

TEST(MachineProbeTest, NamesMachineAndBoot) {
  const MachineFacts facts = ProbeMachine();
  EXPECT_EQ(facts.boot_id.size(), 36U);
  EXPECT_FALSE(facts.hostname.empty());
}

TEST(MachineProbeTest, KnowsTheSystemAndWhatIsFreeOnADisk) {
  const MachineFacts facts = ProbeMachine();
  EXPECT_EQ(facts.labels.at("os"), "linux");
  EXPECT_FALSE(facts.labels.at("arch").empty());
  EXPECT_GT(DiskToOffer("/"), 0);
  EXPECT_EQ(DiskToOffer("/no such folder"), 0);
}

TEST(MachineProbeTest, SaysWhyThereAreNoGpus) {
  const MachineFacts facts = ProbeMachine();
  EXPECT_EQ(facts.capacity.gpu_millis, 1000 * static_cast<std::int32_t>(facts.gpus.size()));
  if (facts.gpus.empty()) {
    EXPECT_FALSE(facts.gpu_note.empty());
  }
}

TEST(ListNvidiaGpusTest, SaysThatTheLibraryIsMissing) {
  const auto gpus = ListNvidiaGpus("libpotok-absent.so.1");
  EXPECT_EQ(gpus.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(gpus.status().message()), testing::HasSubstr("libpotok-absent.so.1"));
}

TEST(ListNvidiaGpusTest, SaysThatALibraryIsNotNvml) {
  EXPECT_EQ(ListNvidiaGpus("libc.so.6").status().code(), absl::StatusCode::kUnavailable);
}

// libfake-nvml.so has three devices, of which the second one fails.
TEST(ListNvidiaGpusTest, ListsTheDevicesThatAnswer) {
  const auto gpus = ListNvidiaGpus(POTOK_FAKE_NVML);
  ASSERT_TRUE(gpus.ok()) << gpus.status();
  ASSERT_EQ(gpus->size(), 2U);
  EXPECT_EQ(gpus->at(0).index, 0);
  EXPECT_EQ(gpus->at(1).index, 2);
  EXPECT_EQ(gpus->at(1).model, "Fake GPU 2");
  EXPECT_EQ(gpus->at(1).uuid, "GPU-2");
  EXPECT_EQ(gpus->at(1).memory_bytes, std::int64_t{80} << 30);
  EXPECT_EQ(NvidiaDriverVersion(POTOK_FAKE_NVML), "535.104.05");
  EXPECT_EQ(NvidiaDriverVersion("libc.so.6"), "");
}

TEST(NvmlMeterTest, ReadsTheDevicesThatAnswer) {
  const auto meter = NvmlMeter::Open(POTOK_FAKE_NVML);
  ASSERT_TRUE(meter.ok()) << meter.status();
  const std::map<int, GpuReading> readings = (*meter)->Read();
  ASSERT_EQ(readings.size(), 2U);
  EXPECT_EQ(readings.at(0).utilization, 0.5);
  EXPECT_EQ(readings.at(2).utilization, 1.0);
  EXPECT_EQ(readings.at(2).memory_bytes, std::int64_t{10} << 30);
}

TEST(NvmlMeterTest, SaysThatTheLibraryIsMissing) {
  EXPECT_EQ(NvmlMeter::Open("libpotok-absent.so.1").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace potok::agent
