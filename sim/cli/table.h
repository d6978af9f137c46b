// A table of text as the terminal shows it, or as Markdown.
#pragma once

#include <string>
#include <vector>

namespace skiff::cli {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string aligned() const;   // columns two blanks apart
  std::string markdown() const;  // | a | b |

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace skiff::cli
