#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/pipeline/command.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok {

namespace {

struct Segment {
  std::string text;
  bool in_block = false;
};

// The next "$[[" from `position` on. "$[[:" is the end of a line and a class of characters in a
// regular expression, as in sed '/x$[[:space:]]/d'.
std::size_t FindBlock(const std::string& command, std::size_t position) {
  std::size_t open = command.find("$[[", position);
  while (open != std::string::npos && open + 3 < command.size() && command[open + 3] == ':') {
    open = command.find("$[[", open + 3);
  }
  return open;
}

absl::StatusOr<std::vector<Segment>> Segments(const std::string& command) {
  std::vector<Segment> segments;
  std::size_t position = 0;
  while (position < command.size()) {
    const std::size_t open = FindBlock(command, position);
    if (open != position) segments.push_back({command.substr(position, open - position), false});
    if (open == std::string::npos) break;
    const std::size_t begin = open + 3;
    const std::size_t close = command.find("]]", begin);
    if (close == std::string::npos) {
      return absl::InvalidArgumentError(fmt::format(
          "the optional block '{}' is not closed; end it with ]]", command.substr(open, 40)));
    }
    if (FindBlock(command, begin) < close) {
      return absl::InvalidArgumentError(
          fmt::format("the optional block '{}' holds another; write the two one after the other",
                      command.substr(open, close + 2 - open)));
    }
    segments.push_back({command.substr(begin, close - begin), true});
    position = close + 2;
  }
  return segments;
}

// Appends what `segment` refers to.
absl::Status CollectReferences(const Segment& segment, std::vector<CommandReference>* found) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<TemplatePart> parts,
                         ParseTemplate(segment.text, TemplatePlace::kCommand));
  for (const TemplatePart& part : parts) {
    const auto* expression = std::get_if<Expression>(&part);
    if (expression == nullptr) continue;
    if (const auto* input = std::get_if<OwnInput>(expression)) {
      found->push_back({input->name, false, segment.in_block});
    } else if (const auto* output = std::get_if<OwnOutput>(expression)) {
      found->push_back({output->name, true, segment.in_block});
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool HasOptionalBlocks(const std::string& command) {
  return FindBlock(command, 0) != std::string::npos;
}

absl::StatusOr<std::string> ResolveOptionalBlocks(const std::string& command,
                                                  const std::set<std::string>& with_value) {
  if (!HasOptionalBlocks(command)) return command;
  POTOK_ASSIGN_OR_RETURN(const std::vector<Segment> segments, Segments(command));
  std::string resolved;
  for (const Segment& segment : segments) {
    bool keep = true;
    if (segment.in_block) {
      std::vector<CommandReference> references;
      POTOK_RETURN_IF_ERROR(CollectReferences(segment, &references));
      for (const CommandReference& reference : references) {
        keep = keep && (reference.is_output || with_value.contains(reference.name));
      }
    }
    if (keep) resolved += segment.text;
  }
  return resolved;
}

absl::StatusOr<std::vector<CommandReference>> ReferencesOf(const std::string& command) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<Segment> segments, Segments(command));
  std::vector<CommandReference> references;
  for (const Segment& segment : segments) {
    POTOK_RETURN_IF_ERROR(CollectReferences(segment, &references));
  }
  return references;
}

}  // namespace potok
