#include "client/frontend/azureml/policy.h"

#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "client/frontend/azureml/scalar.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr double kSecondsMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kAnyMax = std::numeric_limits<std::int32_t>::max();

std::optional<double> ReadNumber(Fields* fields, const std::string& key, Reading* reading) {
  const std::string text = fields->Text(key);
  if (text.empty()) return std::nullopt;
  double number = 0;
  if (absl::SimpleAtod(text, &number) && std::isfinite(number)) return number;
  reading->reporter.Error(
      fields->At(key),
      fmt::format("{}: {} must be a number, but is '{}'", fields->what(), key, text));
  return std::nullopt;
}

// One text, or a list of them.
std::vector<std::string> ReadOneOrMore(Fields* fields, const std::string& key) {
  const YamlNode* value = fields->Value(key);
  if (value == nullptr || !value->IsScalar()) return fields->TextList(key);
  return {value->text};
}

void ReadExitCodes(Fields* fields, Reading* reading, RetryPolicy* retry) {
  if (fields->Value("exit_codes") == nullptr) return;
  retry->exit_codes.clear();
  for (const std::string& text : ReadOneOrMore(fields, "exit_codes")) {
    YamlNode plain;
    plain.text = text;
    plain.is_plain = true;
    std::int32_t code = 0;
    if (absl::SimpleAtoi(TextFor(plain, ValueType::kInteger), &code)) {
      retry->exit_codes.push_back(code);
    } else {
      reading->reporter.Error(
          fields->At("exit_codes"),
          fmt::format(
              "{}: exit_codes lists whole numbers, and '{}' is none", fields->what(), text));
    }
  }
}

void ReadRetry(Fields* outer, Reading* reading, RetryPolicy* retry) {
  const YamlNode* value = outer->Value("retry");
  if (value == nullptr) return;
  if (value->IsScalar()) {
    const auto attempts = outer->Whole("retry", 1, kAnyMax);
    if (attempts) retry->max_attempts = static_cast<std::int32_t>(*attempts);
    return;
  }
  Fields fields(value, outer->what() + ": retry", &reading->reporter, ResolverOf(reading));
  if (fields.map() == nullptr) return;
  if (const auto attempts = fields.Whole("max_attempts", 1, kAnyMax)) {
    retry->max_attempts = static_cast<std::int32_t>(*attempts);
  } else if (fields.Value("max_attempts") == nullptr) {
    reading->reporter.Error(
        fields.map()->at,
        fmt::format("{} has no max_attempts; write how often the step runs at most",
                    fields.what()));
  }
  if (fields.Value("on") != nullptr) retry->on = ReadOneOrMore(&fields, "on");
  ReadExitCodes(&fields, reading, retry);
  if (const auto delay = ReadDuration(&fields, "delay", 0, kSecondsMax, reading)) {
    retry->delay_seconds = *delay;
  }
  if (const auto backoff = ReadNumber(&fields, "backoff", reading)) retry->backoff = *backoff;
  if (const auto factor = ReadNumber(&fields, "memory_factor", reading)) {
    retry->memory_factor = *factor;
  }
  fields.ReportUnknown(Severity::kError);
}

void ReadReuse(Fields* outer, Reading* reading, ReusePolicy* reuse) {
  const YamlNode* value = outer->Value("reuse");
  if (value == nullptr) return;
  if (value->IsScalar()) {
    reuse->enabled = outer->Flag("reuse").value_or(true);
    return;
  }
  Fields fields(value, outer->what() + ": reuse", &reading->reporter, ResolverOf(reading));
  if (const auto enabled = fields.Flag("enabled")) reuse->enabled = *enabled;
  if (const auto read = fields.Flag("read")) reuse->read = *read;
  if (const auto age = ReadDuration(&fields, "max_age", 1, 1e9, reading)) {
    reuse->max_age_seconds = static_cast<std::int64_t>(std::ceil(*age));
  }
  if (const std::string salt = fields.Text("salt"); !salt.empty()) reuse->salt = salt;
  if (fields.Value("ignore_inputs") != nullptr) {
    reuse->ignore_inputs = ReadOneOrMore(&fields, "ignore_inputs");
  }
  fields.ReportUnknown(Severity::kError);
}

void ReadTimeout(Fields* fields, Reading* reading, Step* step) {
  const auto timeout = ReadDuration(fields, "timeout", 1, kSecondsMax, reading);
  if (!timeout) return;
  const YamlEntry* limits = fields->map()->Find("limits");
  if (limits != nullptr && limits->value->Find("timeout") != nullptr) {
    reading->reporter.Error(
        fields->At("timeout"),
        fmt::format("{} has both a timeout and limits.timeout; keep one", fields->what()));
  }
  step->timeout_seconds = static_cast<std::int64_t>(std::ceil(*timeout));
}

// Azure ML's words for what may wait and what must not (queue_settings.priority).
void ReadQueueSettings(Fields* outer, Reading* reading, Step* step) {
  Fields fields(outer->Map("queue_settings"),
                outer->what() + ": queue_settings",
                &reading->reporter,
                ResolverOf(reading));
  const std::string priority = fields.Word("priority");
  if (priority == "low") step->priority = -100;
  if (priority == "medium") step->priority = 0;
  if (priority == "high") step->priority = 100;
  // The tier that Azure may take back at any time.
  if (fields.Word("job_tier") == "spot") step->preemptible = true;
}

void ReadPriority(Fields* fields, Reading* reading, Step* step) {
  ReadQueueSettings(fields, reading, step);
  if (const auto priority = fields->Whole("priority", -1000, 1000)) {
    step->priority = static_cast<std::int32_t>(*priority);
  }
  if (const auto preemptible = fields->Flag("preemptible")) step->preemptible = preemptible;
}

// What is written for the machine's own way undoes what a component says.
void ReadRuntime(Fields* fields, Step* step) {
  if (fields->Value("isolation") != nullptr) {
    step->isolation = fields->Word("isolation");
    if (step->isolation == "none") step->isolation.clear();
  }
  if (fields->Value("network") != nullptr) {
    step->network = fields->Word("network");
    if (step->network == "host") step->network.clear();
  }
}

}  // namespace

// Whole and broken numbers, each with its unit; one without a unit is seconds, and stands alone.
std::optional<double> ParseDuration(const std::string& text) {
  double sum = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find_first_not_of("0123456789.", at);
    double number = 0;
    if (end == at || !absl::SimpleAtod(text.substr(at, end - at), &number)) return std::nullopt;
    if (end == std::string::npos) return at == 0 ? std::optional(number) : std::nullopt;
    const std::string units = "smhd";
    static constexpr double kSeconds[] = {1, 60, 3600, 86400};
    const std::size_t unit = units.find(text[end]);
    if (unit == std::string::npos) return std::nullopt;
    sum += number * kSeconds[unit];
    at = end + 1;
  }
  return text.empty() ? std::nullopt : std::optional(sum);
}

std::optional<double> ReadDuration(
    Fields* fields, const std::string& key, double min, double max, Reading* reading) {
  const YamlNode* scalar = fields->Scalar(key);
  if (scalar == nullptr) return std::nullopt;
  // 1_000 and 0x10 are whole numbers to YAML 1.1, and 12:30 is one too, which nobody means here.
  const Scalar value = ResolveScalar(*scalar);
  const bool is_number =
      value.type == ValueType::kInteger && scalar->text.find(':') == std::string::npos;
  const std::string text = is_number ? value.text : fields->Text(key);
  const std::optional<double> seconds = ParseDuration(text);
  if (seconds && *seconds >= min && *seconds <= max) return seconds;
  reading->reporter.Error(
      fields->At(key),
      seconds ? fmt::format("{}: {} must be {:.0f} to {:.0f} seconds, but is '{}'",
                            fields->what(),
                            key,
                            min,
                            max,
                            text)
              : fmt::format("{}: {} must be seconds, or a time such as 90s, 10m, 1h30m or 2d, but "
                            "is '{}'",
                            fields->what(),
                            key,
                            text));
  return std::nullopt;
}

void ReadPolicy(Fields* fields, Reading* reading, Step* step) {
  ReadRetry(fields, reading, &step->retry);
  ReadReuse(fields, reading, &step->reuse);
  ReadTimeout(fields, reading, step);
  if (const auto timeout = ReadDuration(fields, "queue_timeout", 1, kSecondsMax, reading)) {
    step->queue_timeout_seconds = static_cast<std::int64_t>(std::ceil(*timeout));
  }
  ReadPriority(fields, reading, step);
  ReadRuntime(fields, step);
}

void ReadOrder(Fields* fields, Reading* reading, Step* step) {
  for (const std::string& name : ReadOneOrMore(fields, "depends_on")) {
    step->depends_on.push_back(name);
  }
  const YamlNode* when = fields->Scalar("when");
  if (when == nullptr) return;
  step->when = when->text;
  if (when->text.find_first_not_of(" \t\r\n") == std::string::npos) {
    reading->reporter.Error(when->at,
                            fmt::format("{}: when is empty; write a rule or a condition, or leave "
                                        "it out",
                                        fields->what()));
  }
}

void ReadPriorityOnly(Fields* fields, const std::string& instead, Reading* reading, Step* step) {
  ReadPriority(fields, reading, step);
  for (const char* key : {"retry", "reuse", "timeout", "queue_timeout", "isolation", "network"}) {
    if (fields->Value(key) == nullptr) continue;
    reading->reporter.Error(
        fields->At(key),
        fmt::format("{}: {} is not for this kind of node; {}", fields->what(), key, instead));
  }
}

}  // namespace potok::client
