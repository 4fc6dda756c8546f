// Azure's YAML of a compute as a pool.
#include "client/cli/commands/compute_file.h"

#include <fstream>

#include "gmock/gmock.h"

namespace potok::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LoadedPool Load(const std::vector<std::string>& set) {
  return LoadPoolFile("", set);
}

std::string FirstError(const LoadedPool& loaded) {
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == Severity::kError) return diagnostic.message;
  }
  return "none";
}

TEST(ComputeFileTest, ASelectorIsAnExpressionOrExactLabels) {
  EXPECT_EQ(Load({"name=p", "selector=gpu.memory>=40GiB and has( zone )"}).request.selector(),
            "gpu.memory >= 40GiB && has(zone)");
  EXPECT_EQ(Load({"name=p", "selector={\"zone\": \"b\", \"disk\": 7}"}).request.selector(),
            "disk == 7 && zone == b");
  EXPECT_EQ(Load({"name=p"}).request.selector(), "");
}

TEST(ComputeFileTest, LimitsAreReadInTheirUnits) {
  const LoadedPool loaded = Load({"name=p",
                                  "limits.running_steps=4",
                                  "limits.cpus=2500m",
                                  "limits.memory=8GiB",
                                  "limits.gpus=2.5"});
  ASSERT_TRUE(loaded.ok) << FirstError(loaded);
  const v1::PoolLimits& limits = loaded.request.limits();
  EXPECT_EQ(limits.running_steps(), 4);
  EXPECT_EQ(limits.cpu_millis(), 2500);
  EXPECT_EQ(limits.memory_bytes(), std::int64_t{8} << 30);
  EXPECT_EQ(limits.gpu_millis(), 2500);
}

TEST(ComputeFileTest, WhatMakesMachinesInAzureIsKeptAndSaidToHaveNoEffect) {
  const LoadedPool loaded =
      Load({"name=p", "type=amlcompute", "size=STANDARD_D2", "max_instances=4"});
  ASSERT_TRUE(loaded.ok) << FirstError(loaded);
  EXPECT_THAT(loaded.without_effect, ElementsAre("size", "max_instances"));
  EXPECT_THAT(loaded.request.document(), HasSubstr("STANDARD_D2"));
}

TEST(ComputeFileTest, PreemptionIsOffUnlessTheFileOrItsTierSaysSo) {
  const auto put_of = [](const std::vector<std::string>& set) {
    LoadedPool loaded = Load(set);
    EXPECT_TRUE(loaded.ok) << FirstError(loaded);
    EXPECT_TRUE(loaded.without_effect.empty());
    return loaded.request;
  };
  EXPECT_EQ(put_of({"name=p", "tier=dedicated"}).preemption(), v1::POOL_PREEMPTION_OFF);
  EXPECT_EQ(put_of({"name=p", "preemption=guaranteed"}).preemption(),
            v1::POOL_PREEMPTION_GUARANTEED);
  EXPECT_FALSE(put_of({"name=p", "preemption=guaranteed"}).low_priority());
  const v1::PutPoolRequest low = put_of({"name=p", "tier=Low_Priority"});
  EXPECT_EQ(low.preemption(), v1::POOL_PREEMPTION_GUARANTEED);
  EXPECT_TRUE(low.low_priority());
  EXPECT_EQ(put_of({"name=p", "tier=low_priority", "preemption=off"}).preemption(),
            v1::POOL_PREEMPTION_OFF);
  v1::Pool pool;
  pool.set_name("p");
  pool.set_preemption(v1::POOL_PREEMPTION_GUARANTEED);
  EXPECT_EQ(EditPool(pool, {"limits.running_steps=1"}).request.preemption(),
            v1::POOL_PREEMPTION_GUARANTEED);
}

TEST(ComputeFileTest, StepsArePackedUnlessTheFileSpreadsThem) {
  EXPECT_EQ(Load({"name=p"}).request.placement(), v1::POOL_PLACEMENT_PACK);
  EXPECT_EQ(Load({"name=p", "placement=pack"}).request.placement(), v1::POOL_PLACEMENT_PACK);
  const LoadedPool spread = Load({"name=p", "placement=spread"});
  EXPECT_EQ(spread.request.placement(), v1::POOL_PLACEMENT_SPREAD);
  EXPECT_TRUE(spread.without_effect.empty());
  v1::Pool pool;
  pool.set_name("p");
  pool.set_placement(v1::POOL_PLACEMENT_SPREAD);
  EXPECT_EQ(EditPool(pool, {"limits.running_steps=1"}).request.placement(),
            v1::POOL_PLACEMENT_SPREAD);
}

TEST(ComputeFileTest, ALeaseIsATimeOrNeverAndIsTheServersIfNoneIsSaid) {
  EXPECT_FALSE(Load({"name=p"}).request.has_lease_ms());
  EXPECT_EQ(Load({"name=p", "lease=30m"}).request.lease_ms(), 1'800'000);
  EXPECT_EQ(Load({"name=p", "lease=90"}).request.lease_ms(), 90'000);
  EXPECT_EQ(Load({"name=p", "lease=1d12h0.5s"}).request.lease_ms(), 129'600'500);
  const LoadedPool never = Load({"name=p", "lease=never"});
  EXPECT_TRUE(never.request.has_lease_ms());
  EXPECT_EQ(never.request.lease_ms(), 0);
  EXPECT_TRUE(never.without_effect.empty());
  v1::Pool pool;
  pool.set_name("p");
  for (const std::int64_t lease_ms : {std::int64_t{0}, std::int64_t{129'600'500}}) {
    pool.set_lease_ms(lease_ms);
    const LoadedPool edited = EditPool(pool, {"limits.running_steps=1"});
    ASSERT_TRUE(edited.request.has_lease_ms()) << FirstError(edited);
    EXPECT_EQ(edited.request.lease_ms(), lease_ms);
  }
  EXPECT_FALSE(EditPool(pool, {"lease="}).request.has_lease_ms());
}

TEST(ComputeFileTest, ImagesRunAsAgentsAreToldOrAsThePoolSays) {
  EXPECT_EQ(Load({"name=p"}).request.images(), v1::POOL_IMAGES_UNSPECIFIED);
  EXPECT_EQ(Load({"name=p", "images=host"}).request.images(), v1::POOL_IMAGES_HOST);
  const LoadedPool loaded = Load({"name=p", "images=container"});
  EXPECT_EQ(loaded.request.images(), v1::POOL_IMAGES_CONTAINER);
  EXPECT_TRUE(loaded.without_effect.empty());
  v1::Pool pool;
  pool.set_name("p");
  pool.set_images(v1::POOL_IMAGES_CONTAINER);
  EXPECT_EQ(EditPool(pool, {"lease=1h"}).request.images(), v1::POOL_IMAGES_CONTAINER);
  pool.set_images(v1::POOL_IMAGES_HOST);
  EXPECT_EQ(EditPool(pool, {"lease=1h"}).request.images(), v1::POOL_IMAGES_HOST);
  EXPECT_EQ(EditPool(pool, {"images="}).request.images(), v1::POOL_IMAGES_UNSPECIFIED);
}

TEST(ComputeFileTest, AWrongLeaseIsSaidWithItsPlace) {
  const std::string file = testing::TempDir() + "/lease.yml";
  std::ofstream(file) << "name: p\nlease: banana\n";
  const LoadedPool loaded = LoadPoolFile(file, {});
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].at.line, 2);
  EXPECT_EQ(loaded.diagnostics[0].at.column, 8);
}

TEST(ComputeFileTest, WhatIsWrongIsSaid) {
  const std::vector<std::pair<std::string, const char*>> table = {
      {"selector=zone =", "selector: "},
      {"selector=[1]", "selector"},
      {"limits.gpus=-1", "gpus must be a number from 0 to 1000000, but is '-1'"},
      {"limits.gpus=nan", "gpus must be a number"},
      {"limits.gpus=1e300", "gpus must be a number"},
      {"limits.running_steps=-1", "running_steps"},
      {"limits.memory=much", "much"},
      {"limits.disk=1", "disk"},
      {"tier=spot", "'spot' is no tier; write dedicated or low_priority"},
      {"preemption=always", "preemption is off or guaranteed"},
      {"placement=random", "placement is pack (the fullest machine that fits) or spread"},
      {"lease=banana", "from 1m to 30d, such as 30m, 1h30m or 2d, or never"},
      {"lease=-1m", "but '-1m' was given"},
      {"lease=0s", "but '0s' was given"},
      {"lease=59s", "but '59s' was given"},
      {"lease=31d", "but '31d' was given"},
      {"lease=inf", "but 'inf' was given"},
      {"lease=[1]", "lease"},
      {"images=podman", "images is container (an environment's image runs in a container) or host"},
      {"type=mainframe", "'mainframe' is no type of compute"},
      {"selektor=zone", "selektor"}};
  for (const auto& [set, said] : table) {
    const LoadedPool loaded = Load({"name=p", set});
    EXPECT_FALSE(loaded.ok) << set;
    EXPECT_THAT(FirstError(loaded), HasSubstr(said)) << set;
  }
  EXPECT_THAT(FirstError(Load({})), HasSubstr("the compute has no name"));
}

TEST(ComputeFileTest, AnUpdateChangesOnlyWhatItNames) {
  const LoadedPool before = Load({"name=p",
                                  "size=STANDARD_D2",
                                  "selector=zone == \"b c\"",
                                  "limits.gpus=1.5",
                                  "limits.memory=1000"});
  v1::Pool pool;
  pool.set_name("p");
  pool.set_selector(before.request.selector());
  *pool.mutable_limits() = before.request.limits();
  pool.set_document(before.request.document());
  const LoadedPool after = EditPool(pool, {"limits.running_steps=2"});
  ASSERT_TRUE(after.ok) << FirstError(after);
  EXPECT_TRUE(after.request.must_exist());
  EXPECT_EQ(after.request.selector(), "zone == \"b c\"");
  EXPECT_EQ(after.request.document(), before.request.document());
  EXPECT_EQ(after.request.limits().gpu_millis(), 1500);
  EXPECT_EQ(after.request.limits().memory_bytes(), 1000);
  EXPECT_EQ(after.request.limits().running_steps(), 2);
  EXPECT_THAT(FirstError(EditPool(pool, {"name=q"})), HasSubstr("a pool keeps its name"));
}

}  // namespace
}  // namespace potok::client
