// Values as rows of cells, in the forms of knack 0.10, which prints for `az`.
#include <algorithm>
#include <cctype>
#include <set>

#include "client/cli/text/value.h"

namespace potok::client {
namespace {

// A scalar as Python's str() has it.
std::string PythonText(const Value& value) {
  if (value.IsNull()) return "None";
  if (const bool* boolean = std::get_if<bool>(&value.content())) return *boolean ? "True" : "False";
  return ScalarText(value);
}

std::string TsvCell(const Value& value) {
  if (const Array* array = value.AsArray()) return std::to_string(array->size());
  return value.AsObject() == nullptr ? PythonText(value) : "";
}

std::string TsvLine(const Value& value) {
  std::string line;
  if (const Array* array = value.AsArray()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      line += (i == 0 ? "" : "\t") + TsvCell((*array)[i]);
    }
  } else if (const Object* object = value.AsObject()) {
    for (std::size_t i = 0; i < object->size(); ++i) {
      line += (i == 0 ? "" : "\t") + TsvCell((*object)[i].second);
    }
  } else if (std::holds_alternative<bool>(value.content())) {
    line = ScalarText(value);
  } else {
    line = PythonText(value);
  }
  return line + "\n";
}

// What stands in a table, by its heading.
std::vector<std::pair<std::string, std::string>> RowOf(const Value& value) {
  static const std::set<std::string> kNotShown = {"id", "type", "etag"};
  const auto cell = [](const Value& item) {
    if (item.AsArray() != nullptr || item.AsObject() != nullptr) return ToCompactJson(item);
    return item.IsNull() ? "" : PythonText(item);
  };
  std::vector<std::pair<std::string, std::string>> row;
  if (const Object* object = value.AsObject()) {
    for (const auto& [key, member] : *object) {
      const bool is_scalar = member.AsArray() == nullptr && member.AsObject() == nullptr;
      if (!is_scalar || member.IsNull() || kNotShown.contains(key)) continue;
      std::string heading = key;
      if (!heading.empty()) {
        heading[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(heading[0])));
      }
      row.emplace_back(heading, cell(member));
    }
  } else if (const Array* array = value.AsArray()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      row.emplace_back("Column" + std::to_string(i + 1), cell((*array)[i]));
    }
  } else {
    row.emplace_back("Result", cell(value));
  }
  return row;
}

}  // namespace

std::string ToTsv(const Value& value) {
  const Array* array = value.AsArray();
  if (array == nullptr) return TsvLine(value);
  std::string out;
  for (const Value& item : *array) out += TsvLine(item);
  return out;
}

TableCells CellsOf(const Value& value) {
  TableCells table;
  const Array* array = value.AsArray();
  for (const Value& item : array == nullptr ? Array{value} : *array) {
    std::vector<std::string> cells(table.headings.size());
    for (auto& [heading, cell] : RowOf(item)) {
      const auto known = std::find(table.headings.begin(), table.headings.end(), heading);
      const auto column = static_cast<std::size_t>(known - table.headings.begin());
      if (known == table.headings.end()) {
        table.headings.push_back(heading);
        cells.emplace_back();
      }
      cells[column] = std::move(cell);
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace potok::client
