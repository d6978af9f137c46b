// Collects what is wrong with a document while schemas read it, and finds the files it names.
// One Reader reads one scenario; not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/core/error.h"
#include "sim/core/node.h"

namespace skiff {

class Reader {
 public:
  // source_line(where) gives the text of a line, for the caret; folders: where files are sought.
  explicit Reader(std::function<std::string(const Location&)> source_line = {},
                  std::vector<std::string> folders = {})
      : source_line_(std::move(source_line)), folders_(std::move(folders)) {}

  // While alive, `key` (or "[3]") stands at the end of the current path.
  class Scope {
   public:
    Scope(Reader& reader, const std::string& key);
    ~Scope() { reader_.path_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Reader& reader_;
    std::size_t length_;
  };

  void problem(const Location& where, const std::string& message);  // at the current path
  void problem_at(const Location& where, const std::string& path, const std::string& message);

  const std::string& path() const { return path_; }
  bool ok() const { return problems_.empty(); }
  const std::vector<Problem>& problems() const { return problems_; }
  void throw_if_any() const;  // ScenarioError with at most 20 problems, in file order

  // The first existing of: name itself if absolute, then name in each folder; also a stem, of
  // which NAME_train* exists. Empty if there is none.
  std::string find_file(const std::string& name) const;
  std::string searched() const;  // "scenarios/ and $SKIFF_DATA (not set)"
  void describe_search(std::string text) { searched_ = std::move(text); }

 private:
  std::function<std::string(const Location&)> source_line_;
  std::vector<std::string> folders_;
  std::string searched_;
  std::string path_;
  std::vector<Problem> problems_;
};

}  // namespace skiff
