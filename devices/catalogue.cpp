#include "devices/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

namespace skiff {
namespace {

constexpr const char* kSources = "sources";
constexpr const char* kDefaults = "defaults";
constexpr const char* kClasses = "classes";
constexpr const char* kLinks = "links";

bool is_sourced(const Node& node) { return node.find("value") != nullptr; }

// What `into` does not say is taken from `defaults`, section by section.
void fill_in(Node& into, const Node& defaults) {
  for (const Node::Entry& entry : defaults.entries) {
    Node* own = into.find(entry.key);
    if (own == nullptr) {
      into.set(entry.key, entry.value);
    } else if (own->is_map() && entry.value.is_map() && !is_sourced(*own) &&
               !is_sourced(entry.value)) {
      fill_in(*own, entry.value);
    }
  }
}

// Forwards each problem once: one mistake in `defaults` would show in every class.
class Problems {
 public:
  explicit Problems(Reader& reader) : reader_(reader) {}
  void forward(const Reader& from) {
    for (const Problem& p : from.problems()) {
      if (!seen_.emplace(p.where.file, p.where.line, p.where.column, p.message).second) continue;
      reader_.problem_at(p.where, p.path, p.message);
    }
  }

 private:
  Reader& reader_;
  std::set<std::tuple<std::string, int, int, std::string>> seen_;
};

class Citations {
 public:
  Citations(const Node& document, Reader& reader) {
    const Node* sources = document.find(kSources);
    if (sources == nullptr) return;
    const Reader::Scope scope(reader, kSources);
    convert(*sources, texts_, {}, reader);
  }
  // Puts the citation in the place of its key, in the whole tree.
  void resolve(Node& node, Reader& reader) const {
    for (Node::Entry& entry : node.entries) {
      const Reader::Scope scope(reader, entry.key);
      if (entry.key == "source" && entry.value.is_scalar()) {
        cite(entry.value, reader);
      } else {
        resolve(entry.value, reader);
      }
    }
  }

 private:
  void cite(Node& key, Reader& reader) const {
    std::vector<std::string> keys;
    for (const auto& [name, text] : texts_) {
      if (name == key.text) {
        key.text = text;
        return;
      }
      keys.push_back(name);
    }
    const std::string near = nearest_word(key.text, keys);
    reader.problem(key.where,
                   fmt::format("\"{}\" is not among the sources of this file{}", key.text,
                               near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  }
  std::vector<std::pair<std::string, std::string>> texts_;
};

template <class P>
const P* find_by_name(const std::vector<P>& sorted, const std::string& name) {
  const auto it = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const P& p, const std::string& n) { return p.name < n; });
  return it != sorted.end() && it->name == name ? &*it : nullptr;
}

template <class P>
void put(std::vector<P>& all, P item) {
  const auto same =
      std::find_if(all.begin(), all.end(), [&](const P& p) { return p.name == item.name; });
  same == all.end() ? all.push_back(std::move(item)) : void(*same = std::move(item));
}

template <class P>
std::vector<std::string> names_of(const std::vector<P>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const P& p : all) names.push_back(p.name);
  return names;
}

// Reads what a document holds under `section`, each by its schema.
template <class P>
void read_section(const Node& document, const char* section, std::vector<P>& out,
                  const std::vector<std::string>& links, Problems& problems) {
  static const Schema<P> fields = schema<P>();
  const Node* map = document.find(section);
  if (map == nullptr || map->is_null()) return;
  Reader local;
  const Citations citations(document, local);
  const Reader::Scope in_section(local, section);
  if (!map->is_map()) detail::expected(*map, "a map", local);
  for (const Node::Entry& entry : map->entries) {
    const Reader::Scope scope(local, entry.key);
    const std::size_t before = local.problems().size();
    Node node = entry.value;
    if (const Node* defaults = document.find(kDefaults); defaults && section == kClasses) {
      if (node.is_map()) fill_in(node, *defaults);
    }
    citations.resolve(node, local);
    P item;
    fields.read(node, item, local);
    if constexpr (std::is_same_v<P, DeviceProfile>) {
      const Node* weights = node.find("links");
      weights = weights ? weights->find("value") : nullptr;
      for (const Node::Entry& link : weights ? weights->entries : std::vector<Node::Entry>{}) {
        if (std::find(links.begin(), links.end(), link.key) != links.end()) continue;
        const Reader::Scope at_links(local, "links");
        const Reader::Scope at_link(local, link.key);
        local.problem(link.where, unknown_key_message(link.key, links));
      }
    }
    if (local.problems().size() != before) continue;
    item.name = entry.key;
    item.where = entry.where;
    put(out, std::move(item));
  }
  problems.forward(local);
}

template <class P>
void sort_by_name(std::vector<P>& all) {
  std::sort(all.begin(), all.end(), [](const P& a, const P& b) { return a.name < b.name; });
}

template <class P>
std::string unknown(const char* what, const std::string& name, const std::vector<P>& all) {
  const std::string near = nearest_word(name, names_of(all));
  return fmt::format("unknown {} \"{}\"; {}skiff list devices", what, name,
                     near.empty() ? "" : "did you mean \"" + near + "\"? ");
}

void check_sections(const Node& document, Reader& reader) {
  static const std::vector<std::string> kSections{kSources, kDefaults, kClasses, kLinks};
  if (!document.is_map()) {
    return detail::expected(document, "a map with sources, defaults, classes, links", reader);
  }
  for (const Node::Entry& entry : document.entries) {
    if (std::find(kSections.begin(), kSections.end(), entry.key) != kSections.end()) continue;
    const Reader::Scope scope(reader, entry.key);
    reader.problem(entry.where, unknown_key_message(entry.key, kSections));
  }
}

}  // namespace

Catalogue Catalogue::read(std::span<const Node> documents, Reader& reader) {
  Catalogue all;
  Problems problems(reader);
  for (const Node& document : documents) check_sections(document, reader);
  for (const Node& document : documents) {
    read_section(document, kLinks, all.links_, {}, problems);
  }
  sort_by_name(all.links_);
  const std::vector<std::string> links = all.link_names();
  for (const Node& document : documents) {
    read_section(document, kClasses, all.classes_, links, problems);
  }
  sort_by_name(all.classes_);
  SKIFF_CHECK(all.classes_.size() <= 65535 && all.links_.size() <= 255, "catalogue too large");
  return all;
}

std::vector<std::string> Catalogue::class_names() const { return names_of(classes_); }
std::vector<std::string> Catalogue::link_names() const { return names_of(links_); }

const DeviceProfile* Catalogue::find_class(const std::string& name) const {
  return find_by_name(classes_, name);
}
const LinkProfile* Catalogue::find_link(const std::string& name) const {
  return find_by_name(links_, name);
}

ClassId Catalogue::class_id(const std::string& name) const {
  const DeviceProfile* found = find_class(name);
  SKIFF_CHECK(found != nullptr, unknown_class(name));
  return static_cast<ClassId>(found - classes_.data());
}
LinkId Catalogue::link_id(const std::string& name) const {
  const LinkProfile* found = find_link(name);
  SKIFF_CHECK(found != nullptr, unknown_link(name));
  return static_cast<LinkId>(found - links_.data());
}

std::string Catalogue::unknown_class(const std::string& name) const {
  return unknown("class", name, classes_);
}
std::string Catalogue::unknown_link(const std::string& name) const {
  return unknown("link", name, links_);
}

std::vector<std::string> catalogue_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  if (error)
    throw RunError("cannot list the device profiles in " + folder + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace skiff
