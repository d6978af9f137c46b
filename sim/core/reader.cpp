#include "sim/core/reader.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <tuple>

namespace skiff {
namespace fs = std::filesystem;

Reader::Scope::Scope(Reader& reader, const std::string& key)
    : reader_(reader), length_(reader.path_.size()) {
  if (!reader.path_.empty() && !key.starts_with('[')) reader.path_ += '.';
  reader.path_ += key;
}

void Reader::problem(const Location& where, const std::string& message) {
  problem_at(where, path_, message);
}

void Reader::problem_at(const Location& where, const std::string& path,
                        const std::string& message) {
  problems_.push_back({where, path, message, source_line_ ? source_line_(where) : ""});
}

void Reader::throw_if_any() const {
  if (problems_.empty()) return;
  constexpr std::size_t kMost = 20;
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    const int a_line = std::abs(a.where.line);  // overrides stand at lines -1, -2, ...
    const int b_line = std::abs(b.where.line);
    return std::tie(a.where.file, a_line, a.where.column) <
           std::tie(b.where.file, b_line, b.where.column);
  });
  if (sorted.size() > kMost) sorted.resize(kMost);
  throw ScenarioError(std::move(sorted));
}

namespace {
bool exists_as_stem(const fs::path& path) {
  std::error_code ignored;
  for (const fs::directory_entry& e : fs::directory_iterator(path.parent_path(), ignored)) {
    if (e.path().filename().string().starts_with(path.filename().string() + "_train")) return true;
  }
  return false;
}
}  // namespace

std::string Reader::find_file(const std::string& name) const {
  std::vector<fs::path> candidates;
  if (fs::path(name).is_absolute()) candidates.emplace_back(name);
  for (const std::string& folder : folders_) {
    if (!fs::path(name).is_absolute()) candidates.push_back(fs::path(folder) / name);
  }
  std::error_code ignored;
  for (const fs::path& path : candidates) {
    if (fs::exists(path, ignored) || exists_as_stem(path)) return path.string();
  }
  return "";
}

std::string Reader::searched() const {
  if (!searched_.empty()) return searched_;
  std::string text;
  for (const std::string& folder : folders_) text += (text.empty() ? "" : " and ") + folder;
  return text;
}

}  // namespace skiff
