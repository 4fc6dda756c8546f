// Answers the queries of query_oracle_test.py: on each line of the input a JSON array
// [document, query, form], for each a line of the output, a JSON text: what `potok` would print, or
// "error: ...".
#include <iostream>

#include "client/cli/text/query.h"
#include "client/cli/text/table.h"

namespace potok::client {
namespace {

std::string Answer(const Value& document, const std::string& query, const std::string& form) {
  const absl::StatusOr<Value> found = Query(document, query);
  if (!found.ok()) return "error: " + std::string(found.status().message());
  if (form == "value") return ToCompactJson(*found);
  if (found->IsNull()) return "";
  if (form == "json") return ToJson(Sorted(*found));
  if (form == "tsv") return ToTsv(*found);
  const TableCells cells = CellsOf(*found);
  if (cells.rows.empty()) return "\n";
  return cells.headings.empty() ? "error: no columns"
                                : Table(cells.headings, cells.rows, {.beyond_heading = 2});
}

int AnswerAll() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const absl::StatusOr<Value> asked = ParseJson(line);
    if (!asked.ok()) return 1;
    const Array& parts = *asked->AsArray();
    const std::string answer = Answer(parts[0], *parts[1].AsText(), *parts[2].AsText());
    std::cout << ToCompactJson(Value(answer)) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace potok::client

int main() {
  return potok::client::AnswerAll();
}
