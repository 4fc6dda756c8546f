// do_while and parallel_for.
#include <algorithm>
#include <cctype>
#include <utility>

#include "common/pipeline/items.h"
#include "common/pipeline/json.h"
#include "common/pipeline/suggest.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"
#include "server/domain/expand.h"
#include "server/domain/flow_rules.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

// Whether the body asks for one more iteration. INVALID_ARGUMENT if it does not say.
absl::StatusOr<bool> AsksForMore(const OpenControl& open,
                                 const DoWhile& loop,
                                 const BodyRecord& last) {
  if (loop.condition == "true") return true;
  const std::optional<OutputValue> value = BodyValue(open, last, loop.condition);
  const auto* text = value.has_value() ? std::get_if<std::string>(&value->value) : nullptr;
  if (text == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("iteration {} gave no value for '{}', by which the loop is decided",
                    open.bodies().size() - 1,
                    loop.condition));
  }
  const auto again = Coerce(*text, ValueType::kBoolean);
  if (again.ok()) return *again == "True";
  return absl::InvalidArgumentError(
      fmt::format("iteration {} gave '{}' for '{}', which is no boolean",
                  open.bodies().size() - 1,
                  *text,
                  loop.condition));
}

// The values of the next iteration: those of the last, and what it made where that is mapped.
absl::StatusOr<std::vector<OutputValue>> NextValues(const OpenControl& open,
                                                    const DoWhile& loop,
                                                    const BodyRecord& last) {
  std::vector<OutputValue> values = last.values;
  for (const auto& [output, inputs] : loop.mapping) {
    const std::optional<OutputValue> made = BodyValue(open, last, output);
    if (!made.has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("iteration {} ended without its output '{}', which the next one takes",
                      open.bodies().size() - 1,
                      output));
    }
    for (const std::string& input : inputs) {
      auto value = std::ranges::find(values, input, &OutputValue::name);
      if (value == values.end()) value = values.insert(values.end(), {input, {}});
      value->value = made->value;
    }
  }
  return values;
}

// Items are called by their keys where each of those can be a part of a step's name, else by their
// positions.
void Relabel(std::vector<LoopItem>& items) {
  constexpr std::size_t kLabelMax = 64;
  const auto is_label = [](const LoopItem& item) {
    return !item.label.empty() && item.label.size() <= kLabelMax &&
           std::ranges::all_of(item.label, [](unsigned char c) {
             return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
           });
  };
  if (std::ranges::all_of(items, is_label)) return;
  for (std::size_t i = 0; i < items.size(); ++i) items[i].label = std::to_string(i);
}

// Null if they cannot be read: then the control step has failed.
std::shared_ptr<const std::vector<LoopItem>> ItemsOf(OpenControl& open) {
  std::shared_ptr<const std::vector<LoopItem>>& known =
      open.turn.state.runs.at(open.key.run).controls[open.key.index].items;
  if (known != nullptr) return known;
  const auto inputs = ResolveInputs(open.run(), open.key.index);
  std::string text = "null";
  for (std::size_t i = 0; inputs.ok() && i < inputs->size(); ++i) {
    if (open.step().inputs[(*inputs)[i].input].name != kItemsInput) continue;
    if (const auto* given = std::get_if<std::string>(&(*inputs)[i].value)) text = *given;
  }
  auto items = ParseItems(text);
  if (!items.ok()) {
    FailControl(open, "its items cannot be read: " + std::string(items.status().message()));
    return nullptr;
  }
  Relabel(*items);
  known = std::make_shared<const std::vector<LoopItem>>(*std::move(items));
  return known;
}

// What was written is checked when it is submitted; what a step made, when it is there. All items
// have the same keys.
absl::Status CheckKeys(const Step& step, const std::vector<LoopItem>& items) {
  if (items.empty()) return absl::OkStatus();
  std::vector<std::string> names;
  for (const Input& input : step.inputs) {
    if (input.name != kItemsInput) names.push_back(input.name);
  }
  for (const auto& [name, text] : items.front().values) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return absl::InvalidArgumentError(
        fmt::format("the body has no input '{}'{}", name, SuggestionFor(name, names)));
  }
  return absl::OkStatus();
}

std::vector<OutputValue> WithItem(std::vector<OutputValue> values, const LoopItem& item) {
  for (const auto& [name, text] : item.values) {
    auto value = std::ranges::find(values, name, &OutputValue::name);
    if (value == values.end()) value = values.insert(values.end(), {name, {}});
    value->value = text;
  }
  return values;
}

// As an element of a list: what is no text in JSON either is written as it is.
std::string AsJson(const std::string& text, ValueType type) {
  if (type == ValueType::kBoolean) return text == "True" || text == "true" ? "true" : "false";
  const bool is_number = type == ValueType::kInteger || type == ValueType::kNumber;
  const auto parsed = is_number ? ParseJson(text) : absl::CancelledError();
  const bool is_json = parsed.ok() && parsed->kind == JsonNode::Kind::kNumber;
  return is_json ? text : CompactJson({JsonNode::Kind::kText, text, {}, {}});
}

// What each item made for an output: the texts as a JSON list, or the files by their items' labels.
void Gather(const OpenControl& open,
            const std::vector<LoopItem>& items,
            const Output& output,
            ComposeOutputs* gathered) {
  std::uint32_t step = 0;
  const Output* made_by = FindBodyOutput(open.control(), output.name, &step);
  if (made_by == nullptr) return;
  const std::vector<BodyRecord>& bodies = open.bodies();
  if (IsPrimitive(made_by->type)) {
    std::string list = "[";
    for (const BodyRecord& body : bodies) {
      const std::optional<OutputValue> value = BodyValue(open, body, output.name);
      const auto* text = value.has_value() ? std::get_if<std::string>(&value->value) : nullptr;
      if (list.size() > 1) list += ",";
      list += text == nullptr ? "null" : AsJson(*text, made_by->type);
    }
    gathered->known.push_back({output.name, list + "]"});
    return;
  }
  ComposeOutputs::Output& files = gathered->files.emplace_back();
  files.name = output.name;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const std::optional<OutputValue> value = BodyValue(open, bodies[i], output.name);
    const auto* artifact = value.has_value() ? std::get_if<Artifact>(&value->value) : nullptr;
    if (artifact != nullptr) files.entries.emplace_back(items[i].label, *artifact);
  }
}

void EndParallelFor(OpenControl& open, const std::vector<LoopItem>& items) {
  const std::vector<BodyRecord>& bodies = open.bodies();
  const auto is_bad = [](const BodyRecord& body) { return body.failed || body.canceled; };
  const auto first = std::ranges::find_if(bodies, is_bad);
  if (first != bodies.end()) {
    const auto count = std::ranges::count_if(bodies, is_bad);
    return FailControl(
        open,
        fmt::format("{} of {} items failed; {}", count, bodies.size(), WhyFailed(open, *first)));
  }
  ComposeOutputs gathered;
  gathered.step = open.key;
  for (const Output& output : open.step().outputs) Gather(open, items, output, &gathered);
  if (gathered.files.empty()) return SucceedControl(open, std::move(gathered.known));
  open.turn.decision.effects.emplace_back(std::move(gathered));
}

}  // namespace

void AdvanceDoWhile(OpenControl& open, const DoWhile& loop) {
  if (open.bodies().empty()) {
    AddBody(open, "0", OwnValues(open), "");
    return;
  }
  const BodyRecord& last = open.bodies().back();
  if (last.open_steps > 0) return;
  if (last.failed || last.canceled) {
    return FailControl(
        open, fmt::format("iteration {}: {}", open.bodies().size() - 1, WhyFailed(open, last)));
  }
  const absl::StatusOr<bool> again = AsksForMore(open, loop, last);
  if (!again.ok()) return FailControl(open, std::string(again.status().message()));
  const auto iterations = static_cast<std::int32_t>(open.bodies().size());
  if (!*again || iterations >= std::max(loop.max_iterations, 1)) {
    return SucceedControl(open, OutputsOf(open, last));
  }
  const auto values = NextValues(open, loop, last);
  if (!values.ok()) return FailControl(open, std::string(values.status().message()));
  AddBody(open, std::to_string(iterations), *values, "");
}

void AdvanceParallelFor(OpenControl& open, const ParallelFor& loop) {
  const std::shared_ptr<const std::vector<LoopItem>> items = ItemsOf(open);
  if (items == nullptr) return;
  if (open.bodies().empty()) {
    const absl::Status fits = CheckKeys(open.step(), *items);
    if (!fits.ok()) {
      return FailControl(open, "its items do not fit: " + std::string(fits.message()));
    }
  }
  const std::vector<OutputValue> own = OwnValues(open);
  const std::size_t at_once =
      loop.max_concurrency > 0 ? static_cast<std::size_t>(loop.max_concurrency) : items->size();
  while (open.bodies().size() < items->size() && open.live() < at_once) {
    const LoopItem& item = (*items)[open.bodies().size()];
    if (!AddBody(open, item.label, WithItem(own, item), "")) return;
  }
  if (open.live() == 0 && open.bodies().size() == items->size()) EndParallelFor(open, *items);
}

void TakeComposed(Turn& turn, const OutputsComposed& composed) {
  const auto run = turn.state.runs.find(composed.step.run);
  if (run == turn.state.runs.end() || composed.step.index >= run->second.steps.size()) return;
  OpenControl open{turn, composed.step};
  // Canceled meanwhile, or answered twice.
  if (!open.is_open() || open.live() > 0) return;
  if (composed.status.ok()) {
    return MoveStep(turn, composed.step, AttemptSucceeded{composed.outputs});
  }
  FailControl(open,
              "its outputs could not be put together: " + std::string(composed.status.message()));
}

}  // namespace potok::server
