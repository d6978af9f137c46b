#include "sim/cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace skiff::cli {

std::string TextTable::aligned() const {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header_) widths.push_back(cell.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add_line = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line(header_);
  for (const auto& row : rows_) add_line(row);
  return text;
}

std::string TextTable::markdown() const {
  const auto line = [](const std::vector<std::string>& row) {
    std::string text = "|";
    for (std::string cell : row) {
      for (std::size_t i = cell.find('|'); i != std::string::npos; i = cell.find('|', i + 2)) {
        cell.insert(i, 1, '\\');
      }
      text += " " + cell + " |";
    }
    return text + "\n";
  };
  std::string text = line(header_) + "|";
  for (std::size_t i = 0; i < header_.size(); ++i) text += "---|";
  text += "\n";
  for (const auto& row : rows_) text += line(row);
  return text;
}

}  // namespace skiff::cli
