#include "tests/bench/placement/trace.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "gmock/gmock.h"

namespace potok::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file that is gone with it.
class File {
 public:
  explicit File(const std::string& text)
      : path_(::testing::TempDir() + "placement_trace_test." + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  ~File() { std::remove(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string PodProblem(const std::string& text) {
  return std::string(ReadPods(File(text).path()).status().message());
}

const std::string kPodColumns = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n";

TEST(TraceTest, ReadsMachines) {
  const File file("sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,P100\r\nn1,8000,1024,0,\n");
  const auto machines = ReadNodes(file.path()).value();
  ASSERT_EQ(machines.size(), 2U);
  EXPECT_EQ(machines[0].cpu_millis, 64000);
  EXPECT_EQ(machines[0].memory_bytes, 262144LL << 20);
  EXPECT_EQ(machines[0].gpus[1].model, "P100");
  EXPECT_THAT(machines[1].gpus, IsEmpty());
  EXPECT_EQ(GpuMillisOf(machines), 2000);
}

TEST(TraceTest, ReadsRequestsWhateverTheOrderOfColumns) {
  const File file(
      "gpu_spec,gpu_milli,num_gpu,cpu_milli,memory_mib,qos\nV100M32|T4,1000,8,2000,1,LS\n"
      ",470,1,0,0,BE\nT4,0,0,1,1,\n");
  const auto requests = ReadPods(file.path()).value();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].gpu_millis, 8000);
  EXPECT_THAT(requests[0].gpu_models, ElementsAre("T4", "V100M32"));
  EXPECT_EQ(requests[1].gpu_millis, 470);
  EXPECT_THAT(requests[1].gpu_models, IsEmpty());
  EXPECT_EQ(requests[2].gpu_millis, 0);
}

TEST(TraceTest, NamesFileAndLineOfABadValue) {
  EXPECT_THAT(PodProblem(kPodColumns + "p,1,1,1,1000,\np,1,1,1,much,\n"),
              HasSubstr(":3: gpu_milli is 'much', not a whole number of 0 to 1000"));
  EXPECT_THAT(PodProblem(kPodColumns + "p,-1,1,1,1000,\n"), HasSubstr(":2: cpu_milli is '-1'"));
  EXPECT_THAT(PodProblem(kPodColumns + "p,1,1,1,1500,\n"), HasSubstr(":2: gpu_milli is '1500'"));
  EXPECT_THAT(PodProblem(kPodColumns + "p,1,1\n"), HasSubstr(":2: 3 values for 6 columns"));
  EXPECT_THAT(PodProblem(kPodColumns + "p,1,1,2,500,\n"), HasSubstr(":2: 2 GPUs of 500 millis"));
  EXPECT_THAT(PodProblem(kPodColumns + "p,1,1,1,0,\n"), HasSubstr(":2: num_gpu above 0 with"));
}

TEST(TraceTest, NamesWhatIsMissing) {
  EXPECT_THAT(PodProblem("name,cpu_milli\np,1\n"), HasSubstr(":1: no column 'memory_mib'"));
  EXPECT_THAT(PodProblem(kPodColumns), HasSubstr(":2: no line after the column names"));
  EXPECT_THAT(PodProblem(kPodColumns + "p,1,1,0,0,\n"), HasSubstr("no task requests a GPU"));
  EXPECT_THAT(std::string(ReadNodes("/nonexistent/nodes.csv").status().message()),
              HasSubstr("/nonexistent/nodes.csv:1: cannot read"));
}

}  // namespace
}  // namespace potok::bench
