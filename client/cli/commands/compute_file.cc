#include "client/cli/commands/compute_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "client/cli/show/lease_text.h"
#include "client/cli/text/value.h"
#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/override.h"
#include "client/frontend/azureml/policy.h"
#include "client/frontend/azureml/yaml_json.h"
#include "common/base/resources.h"
#include "common/pipeline/label_expression.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr double kGpusOfPoolMax = 1'000'000;
constexpr double kLeaseSecondsMin = 60;
constexpr double kLeaseSecondsMax = 30 * 24 * 3600;

// Azure's schemas of computes, all kinds together: kept, and without effect here.
const std::vector<std::string>& AzureKeys() {
  static const std::vector<std::string> keys = {"type",
                                                "description",
                                                "tags",
                                                "properties",
                                                "location",
                                                "size",
                                                "min_instances",
                                                "max_instances",
                                                "idle_time_before_scale_down",
                                                "idle_time_before_shutdown",
                                                "idle_time_before_shutdown_minutes",
                                                "ssh_settings",
                                                "ssh_public_access_enabled",
                                                "network_settings",
                                                "identity",
                                                "enable_node_public_ip",
                                                "enable_sso",
                                                "enable_root_access",
                                                "enable_os_patching",
                                                "release_quota_on_stop",
                                                "create_on_behalf_of",
                                                "setup_scripts",
                                                "schedules",
                                                "custom_applications",
                                                "resource_id",
                                                "namespace",
                                                "instance_types"};
  return keys;
}

// What is no news to anyone: it does nothing in Azure either, or something here.
bool IsExpected(const std::string& key) {
  return key == "tier" || key == "type" || key == "description" || key == "tags" ||
         key == "properties";
}

void CheckType(Fields* fields, Reporter* reporter) {
  static const std::vector<std::string> types = {
      "amlcompute", "computeinstance", "virtualmachine", "kubernetes", "synapsespark", "attached"};
  const std::string type = fields->Word("type");
  if (type.empty() || std::ranges::find(types, type) != types.end()) return;
  reporter->Error(fields->At("type"),
                  fmt::format("'{}' is no type of compute; write one of {}", type, Joined(types)));
}

// Thousandths from "4" or "2.5": what steps hold together need be neither whole nor a share.
absl::StatusOr<std::int32_t> ParseGpuLimit(const std::string& text) {
  double gpus = 0;
  if (absl::SimpleAtod(text, &gpus) && gpus >= 0 && gpus <= kGpusOfPoolMax) {
    return static_cast<std::int32_t>(std::lround(gpus * kMillisOfGpu));
  }
  return absl::InvalidArgumentError(
      fmt::format("limits: gpus must be a number from 0 to {}, but is '{}'", kGpusOfPoolMax, text));
}

// An expression over labels, or a map of exact ones, as the labels of a step.
std::string ReadSelector(Fields* fields, Reporter* reporter) {
  const YamlNode* value = fields->Value("selector");
  if (value == nullptr) return "";
  const std::string text =
      value->IsScalar() ? fields->Text("selector")
                        : ExactLabels(fields->Texts("selector", Fields::Strictness::kAnyScalar));
  const absl::StatusOr<LabelExpression> selector = LabelExpression::Parse(text);
  if (selector.ok()) return selector->text();
  reporter->Error(value->at, fmt::format("selector: {}", std::string(selector.status().message())));
  return "";
}

void ReadLimits(const YamlNode* map, Reporter* reporter, v1::PoolLimits* limits) {
  if (map == nullptr) return;
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  Fields fields(map, "limits", reporter);
  if (const auto steps = fields.Whole("running_steps", 0, kMax)) {
    limits->set_running_steps(static_cast<std::int32_t>(*steps));
  }
  if (const std::string cpus = fields.Text("cpus"); !cpus.empty()) {
    const auto millis = ParseCpuMillis(cpus);
    if (!millis.ok()) reporter->Error(fields.At("cpus"), std::string(millis.status().message()));
    if (millis.ok()) limits->set_cpu_millis(*millis);
  }
  if (const std::string memory = fields.Text("memory"); !memory.empty()) {
    const auto bytes = ParseBytes(memory);
    if (!bytes.ok()) reporter->Error(fields.At("memory"), std::string(bytes.status().message()));
    if (bytes.ok()) limits->set_memory_bytes(*bytes);
  }
  if (const std::string gpus = fields.Text("gpus"); !gpus.empty()) {
    const auto millis = ParseGpuLimit(gpus);
    if (!millis.ok()) reporter->Error(fields.At("gpus"), std::string(millis.status().message()));
    if (millis.ok()) limits->set_gpu_millis(*millis);
  }
  fields.ReportUnknown(Severity::kError);
}

// Azure's tier says whether what runs may be taken back at any time, and preemption by whom here.
void ReadPreemption(Fields* fields, Reporter* reporter, v1::PutPoolRequest* request) {
  const std::string tier = fields->Word("tier");
  if (!tier.empty() && tier != "dedicated" && tier != "low_priority") {
    reporter->Error(fields->At("tier"),
                    fmt::format("'{}' is no tier; write dedicated or low_priority", tier));
  }
  request->set_low_priority(tier == "low_priority");
  const std::string preemption = fields->Text("preemption");
  const bool is_on = preemption == "guaranteed" || (preemption.empty() && tier == "low_priority");
  if (!preemption.empty() && !is_on && preemption != "off" && preemption != "false") {
    reporter->Error(
        fields->At("preemption"),
        fmt::format("preemption is off or guaranteed (teams take back what they are guaranteed), "
                    "but '{}' was given",
                    preemption));
  }
  request->set_preemption(is_on ? v1::POOL_PREEMPTION_GUARANTEED : v1::POOL_PREEMPTION_OFF);
}

void ReadPlacement(Fields* fields, Reporter* reporter, v1::PutPoolRequest* request) {
  const std::string placement = fields->Text("placement");
  if (!placement.empty() && placement != "pack" && placement != "spread") {
    reporter->Error(
        fields->At("placement"),
        fmt::format("placement is pack (the fullest machine that fits) or spread (the one with "
                    "the largest free share), but '{}' was given",
                    placement));
  }
  request->set_placement(placement == "spread" ? v1::POOL_PLACEMENT_SPREAD
                                               : v1::POOL_PLACEMENT_PACK);
}

// How long the machines may be silent before what they run is given up.
void ReadLease(Fields* fields, Reporter* reporter, v1::PutPoolRequest* request) {
  const std::string lease = fields->Text("lease");
  if (lease.empty()) return;
  if (lease == "never") return request->set_lease_ms(0);
  const std::optional<double> seconds = ParseDuration(lease);
  if (seconds && *seconds >= kLeaseSecondsMin && *seconds <= kLeaseSecondsMax) {
    return request->set_lease_ms(std::llround(*seconds * 1000));
  }
  reporter->Error(
      fields->At("lease"),
      fmt::format("lease is how long a machine may be silent before its steps are given up: from "
                  "1m to 30d, such as 30m, 1h30m or 2d, or never (then only a person ends them), "
                  "but '{}' was given",
                  lease));
}

// Where commands run whose environment has an image.
void ReadImages(Fields* fields, Reporter* reporter, v1::PutPoolRequest* request) {
  const std::string images = fields->Text("images");
  if (images == "container") return request->set_images(v1::POOL_IMAGES_CONTAINER);
  if (images == "host") return request->set_images(v1::POOL_IMAGES_HOST);
  if (images.empty()) return;
  reporter->Error(
      fields->At("images"),
      fmt::format("images is container (an environment's image runs in a container) or host (on "
                  "the machine itself); left out, the agents' --images decides; but '{}' was given",
                  images));
}

// Everything but what has fields of its own.
std::string DocumentOf(const YamlNode& root, YamlArena* arena, std::vector<std::string>* ignored) {
  static const std::vector<std::string> own = {
      "name", "selector", "limits", "preemption", "placement", "lease", "images", "$schema"};
  YamlNode* rest = arena->New(YamlNode::Kind::kMap, root.at);
  for (const YamlEntry& entry : root.entries) {
    if (std::ranges::find(own, entry.key) != own.end()) continue;
    rest->entries.push_back(entry);
    if (!IsExpected(entry.key)) ignored->push_back(entry.key);
  }
  return JsonOfValues(*rest);
}

LoadedPool ReadPool(const YamlNode* root,
                    const std::string& file,
                    YamlArena* arena,
                    Reporter* reporter) {
  LoadedPool loaded;
  if (root != nullptr && reporter->errors() == 0) {
    Fields fields(root, "the compute", reporter);
    loaded.request.set_name(fields.Text("name"));
    if (loaded.request.name().empty()) {
      reporter->Error(fields.At("name"), "the compute has no name; write name: or give -n");
    }
    CheckType(&fields, reporter);
    loaded.request.set_selector(ReadSelector(&fields, reporter));
    ReadLimits(fields.Map("limits"), reporter, loaded.request.mutable_limits());
    ReadPreemption(&fields, reporter, &loaded.request);
    ReadPlacement(&fields, reporter, &loaded.request);
    ReadLease(&fields, reporter, &loaded.request);
    ReadImages(&fields, reporter, &loaded.request);
    fields.Ignore({"$schema"});
    fields.Ignore(AzureKeys());
    fields.ReportUnknown(Severity::kError);
    if (reporter->errors() == 0) {
      loaded.request.set_document(DocumentOf(*root, arena, &loaded.without_effect));
    }
  }
  loaded.ok = root != nullptr && reporter->errors() == 0;
  loaded.diagnostics = reporter->Take(file);
  return loaded;
}

// The pool as a file would say it.
std::string FileTextOf(const v1::Pool& pool) {
  Object object;
  const absl::StatusOr<Value> document = ParseJson(pool.document());
  if (document.ok() && document->AsObject() != nullptr) object = *document->AsObject();
  object.emplace_back("name", pool.name());
  object.emplace_back("selector", pool.selector());
  Object limits;
  if (pool.limits().has_running_steps()) {
    limits.emplace_back("running_steps", pool.limits().running_steps());
  }
  if (pool.limits().has_cpu_millis()) {
    limits.emplace_back("cpus", fmt::format("{}m", pool.limits().cpu_millis()));
  }
  if (pool.limits().has_memory_bytes()) {
    limits.emplace_back("memory", fmt::format("{}", pool.limits().memory_bytes()));
  }
  if (pool.limits().has_gpu_millis()) {
    limits.emplace_back("gpus", FormatGpus(pool.limits().gpu_millis()));
  }
  object.emplace_back("limits", std::move(limits));
  const bool is_on = pool.preemption() == v1::POOL_PREEMPTION_GUARANTEED;
  object.emplace_back("preemption", is_on ? "guaranteed" : "off");
  const bool spreads = pool.placement() == v1::POOL_PLACEMENT_SPREAD;
  object.emplace_back("placement", spreads ? "spread" : "pack");
  if (pool.has_lease_ms()) object.emplace_back("lease", LeaseText(pool.lease_ms()));
  if (pool.images() == v1::POOL_IMAGES_CONTAINER) object.emplace_back("images", "container");
  if (pool.images() == v1::POOL_IMAGES_HOST) object.emplace_back("images", "host");
  return ToJson(Value(std::move(object)));
}

}  // namespace

LoadedPool LoadPoolFile(const std::string& file, const std::vector<std::string>& set) {
  YamlArena arena;
  Reporter reporter;
  const YamlNode* root = file.empty() ? ParseYamlText("{}", "the command line", &arena, &reporter)
                                      : ParseYamlFile(file, file, Place(), &arena, &reporter);
  if (root != nullptr) root = Override(root, set, &arena, &reporter);
  return ReadPool(root, file, &arena, &reporter);
}

LoadedPool EditPool(const v1::Pool& pool, const std::vector<std::string>& set) {
  YamlArena arena;
  Reporter reporter;
  const std::string shown = "pool " + pool.name();
  const YamlNode* root = ParseYamlText(FileTextOf(pool), shown, &arena, &reporter);
  if (root != nullptr) root = Override(root, set, &arena, &reporter);
  LoadedPool loaded = ReadPool(root, shown, &arena, &reporter);
  loaded.request.set_must_exist(true);
  if (loaded.ok && loaded.request.name() != pool.name()) {
    loaded.ok = false;
    loaded.diagnostics.push_back(
        {Severity::kError, {shown, 0, 0}, "a pool keeps its name; create another one"});
  }
  return loaded;
}

}  // namespace potok::client
