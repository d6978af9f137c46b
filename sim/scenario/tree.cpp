#include "sim/scenario/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "sim/core/reader.h"
#include "sim/scenario/merge.h"
#include "sim/scenario/overrides.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& file) {
  const std::string folder = fs::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

// The same file by whatever name.
std::string identity(const std::string& file) {
  std::error_code error;
  const fs::path path = fs::weakly_canonical(file, error);
  return error ? file : path.string();
}

class TreeReader {
 public:
  explicit TreeReader(const std::optional<std::string>& data_folder) {
    const char* variable = std::getenv("SKIFF_DATA");
    data_ = data_folder ? *data_folder : variable != nullptr ? variable : "";
  }

  Tree read(const std::string& text, const std::string& file,
            const std::vector<std::string>& overrides,
            const std::optional<std::vector<Change>>& point) {
    for (const std::string& text_of_one : overrides) tree_.texts.add_override(text_of_one);
    tree_.top = read_file(text, file);
    apply_overrides(tree_.top, overrides, tree_.problems);
    if (point) {
      tree_.top.erase("sweep");
      apply_changes(tree_.top, *point, tree_.problems);
    }
    strip_nulls(tree_.top);
    tree_.searched = searched();
    if (!data_.empty()) tree_.folders.push_back(data_);
    return std::move(tree_);
  }

 private:
  Node read_file(const std::string& text, const std::string& file) {
    chain_.push_back(file);
    const std::string folder = folder_of(file);
    if (std::find(tree_.folders.begin(), tree_.folders.end(), folder) == tree_.folders.end()) {
      tree_.folders.push_back(folder);
    }
    tree_.texts.add(file, text);
    const std::size_t before = tree_.problems.size();
    Node top = parse_yaml(text, file, tree_.problems);
    if (!top.is_map()) {
      if (tree_.problems.size() == before) {
        problem(top.where.line > 0 ? top.where : Location{file, 1, 1}, "",
                top.is_null() ? "the file is empty; a scenario has seed, data, model, devices, "
                                "server and training"
                              : "expected keys such as seed: and data:");
      }
      give_up();
    }
    Node over = std::move(top);
    const Node* base = over.find("extends");
    if (base == nullptr || base->is_null()) return over;
    Node merged = read_base(*base, folder);
    over.erase("extends");
    merge_top(merged, over);
    return merged;
  }

  Node read_base(const Node& name, const std::string& folder) {
    if (!name.is_scalar()) fail(name.where, "expected a file");
    std::string file;
    for (const std::string& place : {folder, data_}) {
      const fs::path path = (fs::path(place) / name.text).lexically_normal();
      std::error_code error;
      if (!place.empty() && file.empty() && fs::is_regular_file(path, error)) file = path.string();
    }
    if (file.empty()) {
      fail(name.where, fmt::format("\"{}\" not found; looked in {}", name.text, searched()));
    }
    std::string names;
    bool cycle = false;
    for (const std::string& earlier : chain_) {
      cycle = cycle || identity(earlier) == identity(file);
      names += fs::path(earlier).filename().string() + " -> ";
    }
    if (cycle) fail(name.where, "comes back to itself: " + names + name.text);
    Node base = read_file(read_scenario_file(file), file);
    base.erase("name");  // a file's name is its scenario's name
    return base;
  }

  std::string searched() const {
    std::string text;
    for (const std::string& folder : tree_.folders) {
      text += (text.empty() ? "" : ", ") + folder + (folder.ends_with('/') ? "" : "/");
    }
    return text + " and $SKIFF_DATA (" + (data_.empty() ? "not set" : data_) + ")";
  }

  void problem(const Location& where, const std::string& path, const std::string& message) {
    tree_.problems.push_back({where, path, message, ""});
  }
  [[noreturn]] void fail(const Location& where, const std::string& message) {
    problem(where, "extends", message);
    give_up();
  }
  [[noreturn]] void give_up() {
    Reader reader([this](const Location& where) { return tree_.texts.line(where); });
    for (const Problem& p : tree_.problems) reader.problem_at(p.where, p.path, p.message);
    reader.throw_if_any();
    throw ScenarioError({});  // never reached: somebody noted why
  }

  Tree tree_;
  std::string data_;
  std::vector<std::string> chain_;
};

}  // namespace

Tree read_tree(const std::string& text, const std::string& file,
               const std::vector<std::string>& overrides,
               const std::optional<std::vector<Change>>& point,
               const std::optional<std::string>& data_folder) {
  return TreeReader(data_folder).read(text, file, overrides, point);
}

}  // namespace skiff
