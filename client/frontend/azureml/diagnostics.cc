#include "client/frontend/azureml/diagnostics.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "fmt/format.h"

namespace potok::client {

std::string ToString(const Diagnostic& diagnostic) {
  const char* severity = diagnostic.severity == Severity::kError ? "error" : "warning";
  if (diagnostic.at.line == 0) {
    return fmt::format("{}: {}: {}", diagnostic.at.file, severity, diagnostic.message);
  }
  return fmt::format("{}:{}:{}: {}: {}",
                     diagnostic.at.file,
                     diagnostic.at.line,
                     diagnostic.at.column,
                     severity,
                     diagnostic.message);
}

void Reporter::Error(const Place& at, const std::string& message) {
  Report(Severity::kError, at, message);
}

void Reporter::Warning(const Place& at, const std::string& message) {
  Report(Severity::kWarning, at, message);
}

void Reporter::Report(Severity severity, const Place& at, const std::string& message) {
  Diagnostic diagnostic{
      severity, {at.file == nullptr ? std::string() : *at.file, at.line, at.column}, message};
  if (severity == Severity::kError) ++errors_;
  if (!seen_.insert(ToString(diagnostic)).second) return;
  if (severity == Severity::kError) {
    error_places_.insert({diagnostic.at.file, at.line, at.column});
  }
  diagnostics_.push_back(std::move(diagnostic));
}

bool Reporter::HasErrorAt(const Place& at) const {
  return error_places_.contains(
      {at.file == nullptr ? std::string() : *at.file, at.line, at.column});
}

std::vector<Diagnostic> Reporter::Take(const std::string& first) {
  std::map<std::string, std::size_t> order = {{first, 0}};
  for (const Diagnostic& diagnostic : diagnostics_) order.emplace(diagnostic.at.file, order.size());
  std::ranges::stable_sort(diagnostics_, [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(order.at(a.at.file), a.at.line, a.at.column) <
           std::tuple(order.at(b.at.file), b.at.line, b.at.column);
  });
  seen_.clear();
  return std::move(diagnostics_);
}

}  // namespace potok::client
