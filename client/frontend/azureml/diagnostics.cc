#include "client/frontend/azureml/diagnostics.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "fmt/format.h"

namespace potok::client {

namespace {

// Levenshtein's distance.
std::size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

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
  if (!seen_.insert(ToString(diagnostic)).second) return;
  if (severity == Severity::kError) has_errors_ = true;
  diagnostics_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Reporter::Take() {
  std::map<std::string, std::size_t> order;
  for (const Diagnostic& diagnostic : diagnostics_) order.emplace(diagnostic.at.file, order.size());
  std::ranges::stable_sort(diagnostics_, [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(order.at(a.at.file), a.at.line, a.at.column) <
           std::tuple(order.at(b.at.file), b.at.line, b.at.column);
  });
  seen_.clear();
  return std::move(diagnostics_);
}

std::string Suggestion(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > word.size() + 3 || word.size() > candidate.size() + 3) continue;
    const std::size_t distance = Distance(word, candidate);
    if (distance <= best_distance && (best.empty() || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : fmt::format(". Did you mean '{}'?", best);
}

}  // namespace potok::client
