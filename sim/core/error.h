// Two kinds of trouble, kept apart.
//
// A user's mistake is a Problem: where (file:line:col), which YAML path, what was expected.
// Problems are collected and thrown together as a ScenarioError, or, for a data file, as a
// DataError. A bug is a failed SKIFF_CHECK (std::logic_error), never compiled out, never reachable
// from input.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace skiff {

// Where a word of the user stands. line and column count from 1; line 0 = no place (the whole
// file).
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
};

struct Problem {
  Location where;
  std::string path;     // "server.participants"; empty when it is about the file
  std::string message;  // "unknown key; did you mean ..."
  std::string source;   // the source line, for the caret; empty when unknown
};

// "FILE:LINE:COL: path: message", then the source line and a caret when known.
std::string to_string(const Problem& problem);

class ScenarioError : public std::runtime_error {
 public:
  explicit ScenarioError(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

// A data file that cannot be used: "PATH: byte OFFSET: what was expected, what was found".
class DataError : public std::runtime_error {
 public:
  DataError(const std::string& file, const std::string& message);
  DataError(const std::string& file, long long offset, const std::string& message);
};

// The run cannot go on for a reason that is not a bug: a full disk, an unwritable folder.
class RunError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& message);

// The word of `allowed` nearest to `word` by edit distance, or "" if none is near.
std::string nearest_word(std::string_view word, const std::vector<std::string>& allowed);

}  // namespace skiff

#define SKIFF_CHECK(condition, message)                                               \
  do {                                                                                \
    if (!(condition)) ::skiff::check_failed(#condition, __FILE__, __LINE__, message); \
  } while (false)
