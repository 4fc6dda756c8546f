#include "server/rpc/resource_notes.h"

#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// Less is not worth a word.
constexpr std::int64_t kWasteMin = 256 * kMiB;

std::int64_t RoundedUp(std::int64_t bytes, std::int64_t to) {
  return (bytes + to - 1) / to * to;
}

// As it is written in a pipeline: "4 GiB", "768 MiB".
std::string WrittenBytes(std::int64_t bytes) {
  if (bytes % kGiB == 0) return fmt::format("{} GiB", bytes / kGiB);
  if (bytes % kMiB == 0) return fmt::format("{} MiB", bytes / kMiB);
  return FormatBytes(bytes);
}

std::string WasteNote(const StepRow& row, std::int64_t asked) {
  const auto* succeeded = std::get_if<Succeeded>(&row.state);
  const bool ran = succeeded != nullptr && !succeeded->reused.has_value();
  const std::int64_t peak = row.usage.has_value() ? row.usage->peak_memory_bytes : 0;
  if (!ran || peak == 0) return "";
  const std::int64_t enough = MemoryToAskFor(peak);
  if (asked < 2 * enough || asked - enough < kWasteMin) return "";
  return fmt::format("asked {}, peaked at {}: resources.memory could be {}",
                     WrittenBytes(asked),
                     FormatBytes(peak),
                     WrittenBytes(enough));
}

}  // namespace

std::int64_t MemoryToAskFor(std::int64_t peak_bytes) {
  const std::int64_t enough = peak_bytes + peak_bytes / 4;
  if (enough <= kGiB) return RoundedUp(enough, 64 * kMiB);
  return RoundedUp(enough, enough <= 16 * kGiB ? kGiB : 4 * kGiB);
}

std::string RaiseNote(const StepRow& row) {
  if (!row.raise.has_value()) return "";
  const bool is_next =
      std::holds_alternative<Queued>(row.state) || std::holds_alternative<Delayed>(row.state);
  const std::uint32_t attempt = is_next ? row.attempt + 1 : row.attempt;
  if (attempt <= row.raise->attempt) return "";  // canceled before there was one
  return fmt::format("attempt {} {} for {} memory, since attempt {} ran out of its {}",
                     attempt,
                     IsTerminal(row.state) ? "asked" : "asks",
                     WrittenBytes(row.raise->to_bytes),
                     row.raise->attempt,
                     WrittenBytes(row.raise->from_bytes));
}

std::string HeldNote(const StepRow& row, const std::string& machine) {
  if (!row.held.has_value() || machine.empty()) return "";
  const std::string held = FormatBytes(row.held->held_bytes);
  const std::string all = FormatBytes(row.held->input_bytes);
  return row.held->decided
             ? fmt::format("placed on {} for its inputs: it held {} of {}", machine, held, all)
             : fmt::format("placed on {}, which held {} of {} of its inputs", machine, held, all);
}

std::vector<std::string> ResourceNotes(const StepRow& row, const Resources& requested) {
  std::vector<std::string> notes;
  if (std::string raise = RaiseNote(row); !raise.empty()) notes.push_back(std::move(raise));
  const std::int64_t asked = requested.memory_bytes;
  if (row.usage.has_value() && row.usage->child_out_of_memory) {
    notes.push_back(fmt::format(
        "the kernel ended one of its processes for want of memory; {}",
        asked == 0 ? "it asked for none" : fmt::format("it asked for {}", WrittenBytes(asked))));
  }
  if (std::string waste = WasteNote(row, asked); !waste.empty()) notes.push_back(std::move(waste));
  return notes;
}

}  // namespace potok::server
