#include "server/reuse/explain.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/gang.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

using Fields = std::vector<FingerprintField>;
using Listing = std::map<std::string, std::string>;

// Earlier results that are compared; of some the run is read for it.
constexpr int kNearestMax = 20;
constexpr std::size_t kFilesMax = 20;
constexpr std::size_t kShownMax = 120;

std::vector<std::string> LinesOf(const std::string& text) {
  return absl::StrSplit(text, '\n');
}

std::string Shortened(const std::string& text) {
  return text.size() <= kShownMax ? text : text.substr(0, kShownMax) + "...";
}

std::string Shown(const FingerprintField& field) {
  if (field.kind == FingerprintField::Kind::kText) return Shortened(field.value);
  const std::string digest = "sha256 " + field.value.substr(0, 12);
  return field.detail.empty() ? digest : fmt::format("{} ({})", field.detail, digest);
}

// A long line from a little before `place` on.
std::string ShownFrom(const std::string& line, std::size_t place) {
  constexpr std::size_t kBefore = 30;
  if (line.size() <= kShownMax || place <= kBefore) return Shortened(line);
  return "..." + Shortened(line.substr(std::min(place, line.size()) - kBefore));
}

// Of long texts the part that differs: the first line, or the place in the only one.
void ShowTexts(const std::string& was, const std::string& now, FieldDifference* difference) {
  const std::vector<std::string> before = LinesOf(was);
  const std::vector<std::string> after = LinesOf(now);
  if (before.size() == 1 && after.size() == 1) {
    const auto [in_was, in_now] = std::ranges::mismatch(was, now);
    const auto place = static_cast<std::size_t>(in_was - was.begin());
    difference->was = ShownFrom(was, place);
    difference->now = ShownFrom(now, place);
    return;
  }
  std::size_t line = 0;
  while (line < before.size() && line < after.size() && before[line] == after[line]) ++line;
  const auto show = [&](const std::vector<std::string>& lines) {
    return fmt::format("line {}: {}", line + 1, line < lines.size() ? Shortened(lines[line]) : "");
  };
  difference->was = show(before);
  difference->now = show(after);
}

const FingerprintField* FieldNamed(const Fields& fields, const std::string& name) {
  const auto field = std::ranges::find(fields, name, &FingerprintField::name);
  return field == fields.end() ? nullptr : &*field;
}

std::optional<Fields> FieldsAt(const RunRecord& run, std::uint32_t index) {
  const auto inputs = ResolveInputs(run, index);
  if (!inputs.ok()) return std::nullopt;
  return FieldsOf(run.plan->definition(index), *inputs);
}

// The first upstream that has not ended.
std::string FirstOpenUpstream(const RunRecord& run, std::uint32_t index) {
  for (const Edge& edge : run.plan->planned(index).upstreams) {
    if (!IsTerminal(run.steps[edge.step].state())) return run.plan->NameOf(edge.step);
  }
  return "";
}

// What is known without looking at earlier results, or an empty text.
std::string PlainReason(const PipelineSpec& spec, const Step& step) {
  if (!step.deterministic) {
    return "is_deterministic is false: it always runs, and nobody takes its result";
  }
  if (!step.reuse.enabled)
    return "reuse.enabled is false: it always runs, and nobody takes its result";
  if (!IsReusable(step)) {
    const bool only_decides =
        step.control != nullptr && std::holds_alternative<Condition>(step.control->kind);
    return only_decides ? "it only decides which steps run, and makes nothing to take"
                        : "it is no command: the steps that it makes are looked at one by one";
  }
  if (spec.settings.force_rerun) return "force_rerun is set: it runs whatever was made before";
  if (!step.reuse.read) return "it was told to run again";
  return "";
}

// Of a member of a step on several machines, of which nobody takes a result by itself; else "".
std::string MemberReason(const RunRecord& run, std::uint32_t index) {
  const std::optional<Membership> member = MembershipOf(*run.plan, index);
  if (!member.has_value()) return "";
  return fmt::format(
      "it is one of the {} members of step '{}', whose result is taken or made as a whole",
      member->size,
      run.plan->NameOf(member->control));
}

bool IsToCome(const StepRecord& record) {
  return !IsTerminal(record.state()) && record.attempt == 0;
}

// What is not looked up before the run gets there, or an empty text.
std::string LeftOpen(const Step& step, const StepRecord& record) {
  if (!IsToCome(record)) return "";
  if (step.finalizes) return "it runs when all others have ended, and is looked at then";
  return step.when.empty() ? "" : "its `when` is decided while the run goes on: " + step.when;
}

bool NeverBegan(const StepRecord& record, bool is_control, std::string* why) {
  if (record.attempt > 0) return false;
  if (const auto* skipped = std::get_if<Skipped>(&record.state())) *why = skipped->reason;
  if (const auto* canceled = std::get_if<Canceled>(&record.state())) *why = canceled->reason;
  // A loop or a sweep makes no attempt, and has run when it fails.
  const auto* failed = std::get_if<Failed>(&record.state());
  if (failed != nullptr && !is_control) *why = failed->failure.message;
  return !why->empty();
}

}  // namespace

std::vector<FieldDifference> CompareFields(const Fields& was, const Fields& now) {
  std::vector<FieldDifference> differences;
  for (const FingerprintField& field : now) {
    const FingerprintField* before = FieldNamed(was, field.name);
    if (before != nullptr && *before == field) continue;
    FieldDifference& difference = differences.emplace_back();
    difference.field = field.name;
    difference.now = Shown(field);
    if (before == nullptr) continue;
    difference.was = Shown(*before);
    if (field.kind == FingerprintField::Kind::kText && before->kind == field.kind) {
      ShowTexts(before->value, field.value, &difference);
    }
  }
  for (const FingerprintField& field : was) {
    if (FieldNamed(now, field.name) != nullptr) continue;
    differences.push_back({field.name, Shown(field), "", {}});
  }
  return differences;
}

std::vector<std::string> Explainer::DifferentFiles(const FingerprintField& was,
                                                   const FingerprintField& now) {
  const auto list = [&](const FingerprintField& field) -> Listing {
    const auto folder = folders_.find(field.value);
    if (folder == folders_.end()) return {};
    auto listing = store_.List(folder->second);
    return listing.ok() ? *std::move(listing) : Listing{};
  };
  const Listing before = list(was);
  const Listing after = list(now);
  std::vector<std::string> files;
  if (before.empty() && after.empty()) return files;
  for (const auto& [path, content] : after) {
    const auto old = before.find(path);
    if (old == before.end()) {
      files.push_back("new " + path);
    } else if (old->second != content) {
      files.push_back("changed " + path);
    }
  }
  for (const auto& [path, content] : before) {
    if (!after.contains(path)) files.push_back("gone " + path);
  }
  if (files.size() > kFilesMax) {
    const std::size_t more = files.size() - kFilesMax;
    files.resize(kFilesMax);
    files.push_back(fmt::format("and {} more", more));
  }
  return files;
}

void Explainer::NoteFolders(const RunRecord& run, std::uint32_t index) {
  const Step& step = run.plan->definition(index);
  if (const auto* code = std::get_if<Artifact>(&step.code); code != nullptr && code->is_folder) {
    folders_[code->digest.Hex()] = *code;
  }
  const auto inputs = ResolveInputs(run, index);
  if (!inputs.ok()) return;
  for (const OrderInput& input : *inputs) {
    const auto* artifact = std::get_if<Artifact>(&input.value);
    if (artifact != nullptr && artifact->is_folder) folders_[artifact->digest.Hex()] = *artifact;
  }
}

absl::Status Explainer::CompareWithNearest(const RunRecord& run,
                                           std::int64_t begun_us,
                                           Explanation* to) {
  const Step& step = run.plan->definition(to->step);
  const std::optional<Fields> now = FieldsAt(run, to->step);
  if (!now.has_value()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<FoundResult> kin,
      reader_.ResultsOfKin(KinOf(step, run.plan->NameOf(to->step)), begun_us, kNearestMax));
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  std::optional<Fields> nearest;
  for (const FoundResult& candidate : kin) {
    const AttemptKey& by = candidate.result.made_by;
    if (by.run == run.id && by.index == to->step) continue;
    const auto source = load_run_(by.run);
    if (absl::IsUnavailable(source.status())) return source.status();
    if (!source.ok() || by.index >= (*source)->steps.size()) continue;
    const std::optional<Fields> was = FieldsAt(**source, by.index);
    if (!was.has_value()) continue;
    std::vector<FieldDifference> differences = CompareFields(*was, *now);
    if (differences.size() >= fewest) continue;
    fewest = differences.size();
    to->from = by;
    to->differences = std::move(differences);
    nearest = was;
    NoteFolders(**source, by.index);
  }
  if (!nearest.has_value()) {
    to->reason = "nothing like it has completed before";
    return absl::OkStatus();
  }
  NoteFolders(run, to->step);
  for (FieldDifference& difference : to->differences) {
    const FingerprintField* was = FieldNamed(*nearest, difference.field);
    const FingerprintField* is = FieldNamed(*now, difference.field);
    if (was == nullptr || is == nullptr) continue;
    if (was->kind != FingerprintField::Kind::kFolder || is->kind != was->kind) continue;
    difference.files = DifferentFiles(*was, *is);
  }
  to->reason = to->differences.empty()
                   ? "an equal step had completed, and its result could not be taken"
                   : fmt::format("{} is not what it was in the nearest earlier result",
                                 to->differences.front().field);
  return absl::OkStatus();
}

absl::StatusOr<Explanation> Explainer::Explain(const RunRecord& run,
                                               std::uint32_t index,
                                               ResultLack lack,
                                               std::int64_t begun_us) {
  const Step& step = run.plan->definition(index);
  const StepRecord& record = run.steps[index];
  Explanation out;
  out.step = index;
  const auto* succeeded = std::get_if<Succeeded>(&record.state());
  if (succeeded != nullptr && succeeded->reused.has_value()) {
    out.verdict = Verdict::kReused;
    out.from = succeeded->reused->from;
    out.saved_us = succeeded->reused->saved_us;
    out.reason = "nothing that determines its outputs has changed";
    return out;
  }
  if (NeverBegan(record, step.control != nullptr && !IsReusable(step), &out.reason)) {
    out.verdict = Verdict::kNotRun;
    return out;
  }
  out.verdict = Verdict::kRuns;
  // Whether it runs at all is not known yet of a step with a `when`.
  const bool is_undecided = !step.when.empty() && IsToCome(record);
  if (!is_undecided) out.reason = MemberReason(run, index);
  if (!is_undecided && out.reason.empty()) out.reason = PlainReason(run.plan->spec(), step);
  if (!out.reason.empty()) return out;
  if (const std::string open = FirstOpenUpstream(run, index); !open.empty()) {
    out.verdict = Verdict::kUnknown;
    out.reason = fmt::format("depends on what step '{}' makes", open);
    return out;
  }
  if (std::string left = LeftOpen(step, record); !left.empty()) {
    out.verdict = Verdict::kUnknown;
    out.reason = std::move(left);
    return out;
  }
  POTOK_RETURN_IF_ERROR(CompareWithNearest(run, begun_us, &out));
  if (lack == ResultLack::kTooOld) {
    out.reason = fmt::format("the earlier result is older than reuse.max_age, {} s",
                             step.reuse.max_age_seconds);
  } else if (lack == ResultLack::kBytesGone) {
    out.reason = "the files of the earlier result are no longer in the store";
  }
  return out;
}

}  // namespace potok::server
