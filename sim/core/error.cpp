#include "sim/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace skiff {
namespace {

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& p : problems) text += (text.empty() ? "" : "\n") + to_string(p);
  return text;
}

// Levenshtein distance with adjacent transpositions counted as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

std::string without_separators(std::string_view word) {
  std::string bare;
  for (const char c : word) {
    if (c == '-' || c == '_' || c == ' ') continue;
    bare += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return bare;
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text = problem.where.file;
  if (problem.where.line > 0) {
    text += fmt::format(":{}:{}", problem.where.line, problem.where.column);
  }
  if (!text.empty()) text += ": ";
  if (!problem.path.empty()) text += problem.path + ": ";
  text += problem.message;
  if (!problem.source.empty()) {
    text +=
        fmt::format("\n    {}\n    {:>{}}", problem.source, "^", std::max(1, problem.where.column));
  }
  return text;
}

ScenarioError::ScenarioError(std::vector<Problem> problems)
    : std::runtime_error(joined(problems)), problems_(std::move(problems)) {}

DataError::DataError(const std::string& file, const std::string& message)
    : std::runtime_error(fmt::format("{}: {}", file, message)) {}

DataError::DataError(const std::string& file, long long offset, const std::string& message)
    : std::runtime_error(fmt::format("{}: byte {}: {}", file, offset, message)) {}

void check_failed(const char* condition, const char* file, int line, const std::string& message) {
  throw std::logic_error(
      fmt::format("internal error at {}:{}: {} ({})", file, line, message, condition));
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& allowed) {
  const std::string bare = without_separators(word);
  std::string best;
  // A word that goes on after `word` is nearer than one with other letters.
  std::pair<std::size_t, std::size_t> least(std::max<std::size_t>(1, bare.size() / 3) + 1, 0);
  for (const std::string& candidate : allowed) {
    const std::string other = without_separators(candidate);
    const std::size_t distance = edit_distance(bare, other);
    const bool begins = bare.size() >= 3 && other.starts_with(bare);
    const std::pair<std::size_t, std::size_t> rank(begins ? 0 : distance, distance);
    if (rank < least) {
      least = rank;
      best = candidate;
    }
  }
  return best;
}

}  // namespace skiff
