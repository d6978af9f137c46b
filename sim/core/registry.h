// Strategies by name. One algorithm = one .cpp that registers itself:
//
//   SKIFF_REGISTER(Codec, TopK, TopKParams,
//                  {.name = "top-k", .summary = "keeps the largest entries", .paper = "..."});
//
// Role must have `static constexpr const char* kRole` ("codec") and `kKey`, the key that opens the
// map in a scenario ("name", "source", "scheme", ...). Class must be constructible from Params.
// Objects are immutable and shared. Registration happens before main; afterwards read-only.
// Link the families as OBJECT libraries: a static library drops objects that register themselves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/core/schema.h"

namespace skiff {

struct Description {
  std::string name;                     // kebab-case of the paper's name; persisted in results
  std::string summary;                  // one line
  std::string paper;                    // authors, year, identifier; or "baseline"
  std::string family;                   // "" = the role: "quantization", "pruning", ...
  std::string verified;                 // what tests show about it
  std::string deviates;                 // where it differs from the paper, and why
  std::vector<std::string> properties;  // "draws-steps", "needs-everyone": for refusals()
  bool planned = false;                 // a word of the language that this version cannot run yet
};

// What `skiff list` and `skiff explain` show, whatever the role.
struct CatalogueEntry {
  std::string role;
  Description about;
  std::vector<FieldInfo> fields;
};
std::vector<CatalogueEntry>& catalogue_storage();  // filled before main
std::vector<CatalogueEntry> catalogue();           // sorted by role, family, name
std::string unknown_name_message(const std::string& name, const std::string& role,
                                 const std::vector<std::string>& allowed);

template <class Role>
class Registry {
 public:
  struct Entry {
    Description about;
    std::vector<FieldInfo> fields;
    std::function<std::shared_ptr<const Role>(const Node&, Reader&,
                                              const std::vector<std::string>& taken)>
        make;  // empty if planned
  };

  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  void add(Entry entry) {
    SKIFF_CHECK(!entries_.contains(entry.about.name), "registered twice: " + entry.about.name);
    catalogue_storage().push_back({Role::kRole, entry.about, entry.fields});
    entries_.emplace(entry.about.name, std::move(entry));
  }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  std::vector<std::string> names(const std::string& family = "") const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : entries_) {
      if (family.empty() || entry.about.family == family) all.push_back(name);
    }
    return all;
  }
  const Entry* find(const std::string& name) const {
    const auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second;
  }

  // From {name: top-k, density: 0.1}. Problems go to the reader; null if there were any. Keys in
  // `taken` belong to the surrounding section.
  std::shared_ptr<const Role> make(const Node& map, Reader& reader,
                                   const std::vector<std::string>& taken = {}) const;
  // For code and tests: parameters as YAML flow text is not available here, so give a Node.
  std::shared_ptr<const Role> make(const Node& map) const {
    Reader reader;
    std::shared_ptr<const Role> object = make(map, reader);
    reader.throw_if_any();
    return object;
  }

  // {name: adamw, learning_rate: ...}: how the entry nearest to `word` is written.
  std::string written_out(const std::string& word) const;
  // "unknown to fedavg; it belongs to fedprox"; empty if no other entry has such a key.
  std::string belongs_elsewhere(const std::string& key, const std::string& name) const;

 private:
  std::map<std::string, Entry> entries_;
};

// A strategy as a scenario chose it: its name, its map (to rebuild it with other parameters), and
// the object.
template <class Role>
struct Chosen {
  static constexpr const char* kRole = Role::kRole;
  std::string name;
  Node node;
  std::shared_ptr<const Role> object;  // null if none was chosen
};

template <class Role>
bool convert(const Node& node, Chosen<Role>& out, const Rules&, Reader& reader) {
  out.object = Registry<Role>::instance().make(node, reader);
  out.node = node;
  if (const Node* name = node.find(Role::kKey)) out.name = name->text;
  return out.object != nullptr;
}
template <class Role>
struct TypeName<Chosen<Role>> {
  static std::string get() { return "choice"; }
};
template <class Role>
std::string print_value(const Chosen<Role>& chosen) {
  return chosen.name.empty() ? "" : to_flow_text(chosen.node);
}

template <class Role>
std::shared_ptr<const Role> Registry<Role>::make(const Node& map, Reader& reader,
                                                 const std::vector<std::string>& taken) const {
  if (!map.is_map()) {
    const std::string found = map.is_scalar() ? "\"" + map.text + "\"" : "a list";
    reader.problem(map.where,
                   map.is_null()
                       ? "expected a map such as {" + std::string(Role::kKey) + ": ...}"
                       : "expected a map, found " + found + "; write " + written_out(map.text));
    return nullptr;
  }
  const Node* name = map.find(Role::kKey);
  if (name == nullptr || !name->is_scalar()) {
    const Reader::Scope scope(reader, Role::kKey);
    std::string all;
    for (const auto& [word, entry] : entries_) all += (all.empty() ? "" : ", ") + word;
    reader.problem(map.where, "required; write one of " + all);
    return nullptr;
  }
  const Entry* entry = find(name->text);
  if (entry == nullptr) {
    const Reader::Scope scope(reader, Role::kKey);
    reader.problem(name->where, unknown_name_message(name->text, Role::kRole, names()));
    return nullptr;
  }
  std::vector<std::string> others = taken;
  others.emplace_back(Role::kKey);
  return entry->make(map, reader, others);
}

template <class Role>
std::string Registry<Role>::written_out(const std::string& word) const {
  const std::string near = find(word) != nullptr ? word : nearest_word(word, names());
  std::string text = "{" + std::string(Role::kKey) + ": " + (near.empty() ? "..." : near);
  const Entry* entry = find(near);
  for (std::size_t i = 0; entry != nullptr && i < entry->fields.size(); ++i) {
    if (entry->fields[i].required) text += ", " + entry->fields[i].name + ": ...";
  }
  return text + "}";
}

template <class Role>
std::string Registry<Role>::belongs_elsewhere(const std::string& key,
                                              const std::string& name) const {
  std::string owners;
  for (const auto& [other, entry] : entries_) {
    for (const FieldInfo& f : entry.fields) {
      if (f.name == key && other != name) owners += (owners.empty() ? "" : ", ") + other;
    }
  }
  return owners.empty() ? "" : "unknown to " + name + "; it belongs to " + owners;
}

// Params of strategies that have none.
struct NoParams {};
template <>
inline Schema<NoParams> schema<NoParams>() {
  return {};
}

namespace detail {

template <class Role, class Class, class Params>
std::shared_ptr<const Role> build(const std::string& name, const Node& map, Reader& reader,
                                  const std::vector<std::string>& taken) {
  static const Schema<Params> fields = schema<Params>();
  const std::size_t before = reader.problems().size();
  Params params;
  fields.read(map, params, reader, taken, [&](const std::string& key) {
    return Registry<Role>::instance().belongs_elsewhere(key, name);
  });
  if (reader.problems().size() != before) return nullptr;
  return std::make_shared<const Class>(params);
}

template <class Role, class Class, class Params>
bool register_class(Description about) {
  typename Registry<Role>::Entry entry;
  const std::string name = about.name;
  entry.about = std::move(about);
  entry.fields = schema<Params>().describe();
  entry.make = [name](const Node& map, Reader& reader, const std::vector<std::string>& taken) {
    return build<Role, Class, Params>(name, map, reader, taken);
  };
  Registry<Role>::instance().add(std::move(entry));
  return true;
}

// A word of the language whose strategy this version does not have: its keys are known, so that
// messages can speak of it, and making it is refused plainly.
template <class Role>
bool register_planned(Description about, std::vector<FieldInfo> fields) {
  about.planned = true;
  typename Registry<Role>::Entry entry;
  const std::string name = about.name;
  entry.about = std::move(about);
  entry.fields = std::move(fields);
  entry.make = [name](const Node& map, Reader& reader,
                      const std::vector<std::string>&) -> std::shared_ptr<const Role> {
    const Reader::Scope scope(reader, Role::kKey);
    const Node* written = map.find(Role::kKey);
    reader.problem(written != nullptr ? written->where : map.where,
                   name + " is a word of the language that this version cannot run yet");
    return nullptr;
  };
  Registry<Role>::instance().add(std::move(entry));
  return true;
}

}  // namespace detail
}  // namespace skiff

#define SKIFF_CONCAT_(a, b) a##b
#define SKIFF_CONCAT(a, b) SKIFF_CONCAT_(a, b)
#define SKIFF_REGISTER(Role, Class, Params, ...)                              \
  [[maybe_unused]] static const bool SKIFF_CONCAT(registered_, __COUNTER__) = \
      ::skiff::detail::register_class<Role, Class, Params>(::skiff::Description __VA_ARGS__)
