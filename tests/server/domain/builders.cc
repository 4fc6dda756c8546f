#include "tests/server/domain/builders.h"

#include "common/base/check.h"
#include "gtest/gtest.h"

namespace potok::server {

AStep& AStep::Command(const std::string& command) {
  step_.command = command;
  return *this;
}
AStep& AStep::After(const std::string& upstream) {
  step_.depends_on.push_back(upstream);
  return *this;
}
AStep& AStep::Text(const std::string& input, const std::string& value, ValueType type) {
  Input added;
  added.name = input;
  added.type = type;
  added.value = TextValue{value};
  step_.inputs.push_back(added);
  return *this;
}
AStep& AStep::Data(const std::string& input, const std::string& value) {
  return Text(input, value, ValueType::kUriFolder);
}
AStep& AStep::OptionalData(const std::string& input, const std::string& value) {
  Data(input, value);
  step_.inputs.back().optional = true;
  return *this;
}
AStep& AStep::Output(const std::string& name, ValueType type) {
  potok::Output output;
  output.name = name;
  output.type = type;
  step_.outputs.push_back(output);
  return *this;
}
AStep& AStep::Memory(std::int64_t bytes) {
  step_.resources.memory_bytes = bytes;
  return *this;
}
AStep& AStep::Cpus(std::int32_t millis) {
  step_.resources.cpu_millis = millis;
  return *this;
}
AStep& AStep::Gpus(std::int32_t count) {
  step_.resources.gpu_millis = count * 1000;
  return *this;
}
AStep& AStep::Pool(const std::string& pool) {
  step_.compute = pool;
  return *this;
}
AStep& AStep::GpuShare(std::int32_t millis) {
  step_.resources.gpu_millis = millis;
  return *this;
}
AStep& AStep::GpuModel(const std::string& model) {
  step_.gpu_models.push_back(model);
  return *this;
}
AStep& AStep::GpuMemory(std::int64_t bytes) {
  step_.gpu_memory_bytes = bytes;
  return *this;
}
AStep& AStep::Disk(std::int64_t bytes) {
  step_.resources.disk_bytes = bytes;
  return *this;
}
AStep& AStep::Named(const std::string& name, std::int64_t count) {
  step_.resources.named[name] = count;
  return *this;
}
AStep& AStep::Where(const std::string& label_expression) {
  step_.label_expression = label_expression;
  return *this;
}
AStep& AStep::Priority(std::int32_t priority) {
  step_.priority = priority;
  return *this;
}
AStep& AStep::Preemptible(bool preemptible) {
  step_.preemptible = preemptible;
  return *this;
}
AStep& AStep::Unset(const std::string& input, ValueType type) {
  Text(input, "", type);
  step_.inputs.back().value = std::monostate();
  return *this;
}
AStep& AStep::Label(const std::string& name, const std::string& value) {
  step_.labels[name] = value;
  return *this;
}

PipelineSpec APipeline(std::vector<Step> steps) {
  PipelineSpec spec;
  spec.name = "test";
  spec.steps = std::move(steps);
  return spec;
}
PipelineSpec AFailFastPipeline(std::vector<Step> steps) {
  PipelineSpec spec = APipeline(std::move(steps));
  spec.settings.continue_on_step_failure = false;
  return spec;
}
std::shared_ptr<const Plan> APlan(std::vector<Step> steps) {
  auto plan = BuildPlan(APipeline(std::move(steps)));
  EXPECT_TRUE(plan.ok()) << plan.status();
  POTOK_CHECK(plan.ok());
  return *plan;
}
std::string OutputOf(const std::string& step, const std::string& name) {
  return "${{parent.jobs." + step + ".outputs." + name + "}}";
}

AMachine::AMachine(const std::string& name) {
  facts_.name = name;
  facts_.state_id = "state of " + name;
  facts_.boot_id = "boot 1";
  facts_.capacity = {16 * kGiB, 4000, 0};
}
AMachine& AMachine::Memory(std::int64_t bytes) {
  facts_.capacity.memory_bytes = bytes;
  return *this;
}
AMachine& AMachine::Cpus(std::int32_t count) {
  facts_.capacity.cpu_millis = count * 1000;
  return *this;
}
AMachine& AMachine::Gpus(std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i) Gpu("A100", 80 * kGiB);
  return *this;
}
AMachine& AMachine::Gpu(const std::string& model, std::int64_t memory_bytes) {
  const auto index = static_cast<std::int32_t>(facts_.gpus.size());
  facts_.gpus.push_back({index, model, memory_bytes, ""});
  facts_.capacity.gpu_millis = (index + 1) * 1000;
  return *this;
}
AMachine& AMachine::Disk(std::int64_t bytes) {
  facts_.capacity.disk_bytes = bytes;
  return *this;
}
AMachine& AMachine::Named(const std::string& name, std::int64_t count) {
  facts_.capacity.named[name] = count;
  return *this;
}
AMachine& AMachine::Pool(const std::string& pool) {
  facts_.pools.push_back(pool);
  return *this;
}
AMachine& AMachine::Label(const std::string& name, const std::string& value) {
  facts_.labels[name] = value;
  return *this;
}
AMachine& AMachine::Boot(const std::string& boot_id) {
  facts_.boot_id = boot_id;
  return *this;
}
AMachine& AMachine::StateId(const std::string& state_id) {
  facts_.state_id = state_id;
  return *this;
}

}  // namespace potok::server
