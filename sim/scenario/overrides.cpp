#include "sim/scenario/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/scenario/merge.h"
#include "sim/scenario/yaml.h"

namespace skiff {
namespace {

class Override {
 public:
  Override(const std::string& text, std::size_t index, std::vector<Problem>& problems)
      : text_(text), line_(-1 - static_cast<int>(index)), problems_(problems) {}
  Override(const Change& change, std::vector<Problem>& problems)
      : text_(change.key), path_(change.key), place_(change.where), problems_(problems) {}

  void apply_value(Node& top, const Node& value) {
    if (split_path()) set(top, value);
  }

  void apply(Node& top) {
    const char first = text_.empty() ? '\0' : text_.front();
    const std::size_t begin = first == '+' || first == '~' ? 1 : 0;
    const std::size_t equals = text_.find('=');
    path_ = text_.substr(begin, equals == std::string::npos ? equals : equals - begin);
    place_ = at(begin);
    if (!split_path()) return;
    if (first == '~') {
      if (equals != std::string::npos) return problem(at(equals), "~ removes; it takes no value");
      return remove(top);
    }
    if (equals == std::string::npos) {
      return problem(place_,
                     "has no value; write " + path_ + "=VALUE, or ~" + path_ + " to remove it");
    }
    const std::size_t before = problems_.size();
    Node value = parse_yaml_value(std::string_view(text_).substr(equals + 1), at(equals + 1), path_,
                                  problems_);
    if (problems_.size() != before) return;
    if (value.where.file.empty()) value.where = at(equals + 1);  // an empty value is null
    first == '+' ? append(top, std::move(value)) : set(top, std::move(value));
  }

 private:
  Location at(std::size_t offset) const {
    return {kOverrideFile, line_, static_cast<int>(offset) + 1};
  }
  void problem(const Location& where, const std::string& message) {
    problems_.push_back({where, path_, message, ""});
  }

  bool split_path() {
    std::size_t begin = 0;
    while (begin <= path_.size()) {
      const std::size_t end = std::min(path_.find('.', begin), path_.size());
      keys_.push_back(path_.substr(begin, end - begin));
      begin = end + 1;
    }
    const bool fine = std::none_of(keys_.begin(), keys_.end(), [](const std::string& k) {
      return k.empty() || k.find_first_of(" \t") != std::string::npos;
    });
    if (!fine || keys_.size() > 16) {
      path_.clear();
      problem(place_,
              fmt::format("\"{}\" is no override; write a.b=VALUE, +a.b=VALUE or ~a.b", text_));
      return false;
    }
    if (keys_.front() != "extends") return true;
    problem(place_, "only a file can extend another; name that file instead");
    return false;
  }

  // The map that holds the last key; made where it is missing. Null after a problem.
  Node* holder(Node& top) {
    Node* map = &top;
    std::string path;
    for (std::size_t i = 0; i + 1 < keys_.size(); ++i) {
      path += (i > 0 ? "." : "") + keys_[i];
      Node* next = map->find(keys_[i]);
      if (next == nullptr || next->is_null()) {
        Node fresh;
        fresh.kind = Node::Kind::kMap;
        fresh.where = place_;
        map->set(keys_[i], std::move(fresh));
        next = map->find(keys_[i]);
      }
      if (!next->is_map()) {
        problem(place_, fmt::format("{} is {}, which has no keys; set {} as a whole", path,
                                    to_flow_text(*next), path));
        return nullptr;
      }
      map = next;
    }
    return map;
  }

  void set(Node& top, Node value) {
    Node* map = holder(top);
    if (map == nullptr) return;
    const std::string& key = keys_.back();
    if (map != &top && opens_a_choice(key)) {
      Node choice;  // laid over the old map, so that another kind replaces it
      choice.kind = Node::Kind::kMap;
      choice.where = place_;
      choice.entries.push_back({key, place_, std::move(value)});
      return merge(*map, choice);
    }
    map->erase(key);
    map->entries.push_back({key, place_, std::move(value)});
  }

  void append(Node& top, Node value) {
    Node* map = holder(top);
    if (map == nullptr) return;
    Node* list = map->find(keys_.back());
    if (list == nullptr || list->is_null()) {
      Node fresh;
      fresh.kind = Node::Kind::kList;
      fresh.where = place_;
      map->erase(keys_.back());
      map->entries.push_back({keys_.back(), place_, std::move(fresh)});
      list = &map->entries.back().value;
    }
    if (!list->is_list()) {
      return problem(place_, fmt::format("{} is no list; set it with =", to_flow_text(*list)));
    }
    list->items.push_back(std::move(value));
  }

  void remove(Node& top) {
    Node* map = &top;
    for (std::size_t i = 0; map != nullptr && i + 1 < keys_.size(); ++i) {
      map = map->find(keys_[i]);
    }
    if (map == nullptr || map->find(keys_.back()) == nullptr) {
      return problem(place_, "is not written in the scenario; there is nothing to remove");
    }
    map->erase(keys_.back());
  }

  const std::string& text_;
  int line_ = 0;
  std::string path_;
  std::vector<std::string> keys_;
  Location place_;
  std::vector<Problem>& problems_;
};

}  // namespace

void apply_overrides(Node& top, const std::vector<std::string>& overrides,
                     std::vector<Problem>& problems) {
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    Override(overrides[i], i, problems).apply(top);
  }
}

void apply_changes(Node& top, const std::vector<Change>& changes, std::vector<Problem>& problems) {
  for (const Change& change : changes) Override(change, problems).apply_value(top, change.value);
}

}  // namespace skiff
