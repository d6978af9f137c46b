#include "sim/scenario/planned_words.h"

#include <sstream>

#include "sim/scenario/protocol.h"
#include "sim/scenario/sections.h"

namespace skiff {
namespace {

// keys: "bits! dimension=2": ! must be written, otherwise the default.
struct Word {
  const char* name;
  const char* family;
  const char* keys;
  const char* summary;
  const char* paper;
  std::vector<std::string> properties = {};
};

const std::vector<Word>& distillations() {
  static const std::vector<Word> words{
      {"fedmd", "", "teacher! steps!", "clients agree on logits of public samples",
       "Li and Wang 2019, arXiv:1910.03581"},
  };
  return words;
}

std::vector<FieldInfo> fields_of(const Word& word) {
  std::vector<FieldInfo> fields;
  std::istringstream keys(word.keys);
  for (std::string key; keys >> key;) {
    FieldInfo field;
    field.type = "any";
    const std::size_t equals = key.find('=');
    field.required = key.ends_with('!');
    field.name = key.substr(0, field.required ? key.size() - 1 : equals);
    if (equals != std::string::npos) field.default_text = key.substr(equals + 1);
    if (field.required) field.why_required = std::string("by ") + word.name;
    fields.push_back(std::move(field));
  }
  return fields;
}

template <class Role>
void add(const std::vector<Word>& words) {
  for (const Word& w : words) {
    if (Registry<Role>::instance().find(w.name) != nullptr) continue;  // somebody runs it
    detail::register_planned<Role>({.name = w.name,
                                    .summary = w.summary,
                                    .paper = w.paper,
                                    .family = w.family,
                                    .properties = w.properties},
                                   fields_of(w));
  }
}

}  // namespace

void register_planned_words() {
  [[maybe_unused]] static const bool once = [] {
    add<Distillation>(distillations());
    register_protocols();
    return true;
  }();
}

}  // namespace skiff
