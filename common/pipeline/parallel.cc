#include "common/pipeline/parallel.h"

#include "fmt/format.h"

namespace potok {

namespace {

// A JSON string (RFC 8259, section 7) in which nothing means anything to a shell that reads it in
// single quotes, or to templates.
std::string JsonText(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_special = c == '"' || c == '\\' || c == '\'' || c == '$';
    out += byte < 0x20 || byte == 0x7F || is_special ? fmt::format("\\u{:04x}", byte)
                                                     : std::string(1, c);
  }
  return out + "\"";
}

std::string JsonList(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (std::size_t i = 0; i < texts.size(); ++i) out += (i == 0 ? "" : ", ") + JsonText(texts[i]);
  return out + "]";
}

std::string SettingsOf(const Parallel& parallel) {
  std::string out = "{";
  const auto add = [&out](const char* name, const std::string& value) {
    out += fmt::format("{}\"{}\": {}", out.size() == 1 ? "" : ", ", name, value);
  };
  add("entry_script", JsonText(parallel.entry_script));
  add("mini_batch_size", JsonText(parallel.mini_batch_size));
  add("partition_keys", JsonList(parallel.partition_keys));
  add("mini_batch_error_threshold", std::to_string(parallel.mini_batch_error_threshold));
  add("error_threshold", std::to_string(parallel.error_threshold));
  add("max_retries", std::to_string(parallel.max_retries));
  add("batch_timeout_seconds", std::to_string(parallel.batch_timeout_seconds));
  add("max_concurrency_per_instance", std::to_string(parallel.max_concurrency_per_instance));
  add("logging_level", JsonText(parallel.logging_level));
  return out + "}";
}

// Arguments may stand on several lines in the file; to the shell they are one.
std::string OnOneLine(const std::string& arguments) {
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == '\\' && i + 1 < arguments.size() && arguments[i + 1] == '\n') continue;
    out += arguments[i] == '\n' ? ' ' : arguments[i];
  }
  return out;
}

}  // namespace

std::string CommandOfParallel(const Parallel& parallel) {
  std::string command = fmt::format(
      "python3 \"${{{}:?this agent came without its folder of Python}}/potok_parallel\" "
      "--settings '{}' --input ${{{{inputs.{}}}}}",
      kPythonVariable,
      SettingsOf(parallel),
      parallel.input_data);
  if (!parallel.append_row_to.empty()) {
    command += fmt::format(" --append-to ${{{{outputs.{}}}}}", parallel.append_row_to);
  }
  return command + " -- " + OnOneLine(parallel.program_arguments);
}

}  // namespace potok
