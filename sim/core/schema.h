// Declare a parameter once: what a key is called, where it is stored, its range, its meaning.
//
//   template <> Schema<SgdParams> schema() {
//     Schema<SgdParams> s;
//     s.field("learning_rate", &SgdParams::learning_rate, "step size").required().above(0);
//     s.field("momentum", &SgdParams::momentum, "heavy-ball factor").in(0, 1);
//     return s;
//   }
//
// The same declaration reads YAML and --set, prints defaults, makes the JSON Schema and the text of
// `skiff explain`. Defaults are the values of a default-constructed struct.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/core/convert.h"

namespace skiff {

// What docs, JSON Schema and messages need to know of a field.
struct FieldInfo {
  std::string name;
  std::string type;  // "int", "bytes", "word", "map", "choice"
  std::string help;
  std::string default_text;  // "" if there is none
  bool required = false;
  std::string why_required;  // "by sgd; skiff has no default that changes results"
  Rules rules;
  std::string role;                 // of a choice: the registry it chooses from
  std::vector<FieldInfo> children;  // of a map with fixed keys
};

// Says that `key` is unknown among `fields` (nearest name and allowed ones included).
std::string unknown_key_message(const std::string& key, const std::vector<std::string>& allowed);

template <class P>
class Schema {
  struct Field {
    FieldInfo info;
    std::function<void(const Node&, const FieldInfo&, P&, Reader&)> read;
    std::function<std::string(const P&)> print;
  };

 public:
  class Builder {
   public:
    explicit Builder(FieldInfo& info) : info_(info) {}
    Builder& required(std::string why = "") {
      info_.required = true;
      info_.default_text.clear();
      info_.why_required = std::move(why);
      return *this;
    }
    Builder& in(double least, double most) {
      info_.rules.least = least;
      info_.rules.most = most;
      return *this;
    }
    Builder& at_least(double least) { return in(least, info_.rules.most); }
    Builder& above(double least) {
      info_.rules.least = least;
      info_.rules.above = true;
      return *this;
    }
    Builder& fraction(double least = 0, double most = 1) {
      info_.rules.fraction = true;
      const std::size_t number = info_.type.rfind("number");  // "map of number" too
      if (number != std::string::npos) info_.type.replace(number, 6, "fraction");
      return in(least, most);
    }
    Builder& one_of(std::vector<std::string> words) {
      info_.rules.words = std::move(words);
      return *this;
    }
    Builder& or_word(std::string word) {  // for std::optional: the word of the empty one
      if (!info_.required && info_.default_text.empty()) info_.default_text = word;
      info_.rules.none_word = std::move(word);
      return *this;
    }
    // A choice with keys common to all kinds, or a map read by a convert() of its own.
    Builder& choice(std::string role, std::vector<FieldInfo> common) {
      info_.type = "choice";
      info_.role = std::move(role);
      info_.children = std::move(common);
      return *this;
    }
    Builder& no_default() {  // required or not, by a rule across keys
      info_.default_text.clear();
      return *this;
    }
    Builder& unit(std::string unit) {
      info_.rules.unit = std::move(unit);
      return *this;
    }

   private:
    FieldInfo& info_;
  };

  template <class T, class Base>
  Builder field(std::string name, T Base::*member, std::string help) {
    Field& f = fields_.emplace_back();
    f.info.name = std::move(name);
    f.info.type = TypeName<T>::get();
    f.info.help = std::move(help);
    f.info.default_text = print_value(P{}.*member);
    if constexpr (requires { T::kRole; }) f.info.role = T::kRole;
    f.read = [member](const Node& node, const FieldInfo& info, P& out, Reader& reader) {
      convert(node, out.*member, info.rules, reader);
    };
    f.print = [member](const P& p) { return print_value(p.*member); };
    return Builder(f.info);
  }

  // A map with fixed keys of its own.
  template <class Q, class Base>
  Builder section(std::string name, Q Base::*member, Schema<Q> inner, std::string help) {
    Field& f = fields_.emplace_back();
    f.info.name = std::move(name);
    f.info.type = "map";
    f.info.help = std::move(help);
    f.info.children = inner.describe();
    auto shared = std::make_shared<const Schema<Q>>(std::move(inner));
    f.read = [member, shared](const Node& node, const FieldInfo&, P& out, Reader& reader) {
      shared->read(node, out.*member, reader);
    };
    f.print = [member, shared](const P& p) { return shared->print(p.*member); };
    return Builder(f.info);
  }

  // Rules across fields: report to the reader. Runs only when all fields were read without error.
  Schema& check(std::function<void(const P&, const Node& map, Reader&)> rule) {
    checks_.push_back(std::move(rule));
    return *this;
  }

  // Reads a map; keys in `taken` belong to somebody else. `unknown(key)` may word the message
  // about an unknown key; an empty answer means the standard one.
  void read(const Node& map, P& out, Reader& reader, const std::vector<std::string>& taken = {},
            const std::function<std::string(const std::string&)>& unknown = {}) const;

  std::vector<FieldInfo> describe() const {
    std::vector<FieldInfo> infos;
    for (const Field& f : fields_) infos.push_back(f.info);
    return infos;
  }
  // All values, defaults included, as one line of YAML flow style.
  std::string print(const P& p) const {
    std::string text;
    for (const Field& f : fields_) {
      std::string value = f.print(p);
      if (value.empty()) value = f.info.rules.none_word;
      if (!value.empty()) text += (text.empty() ? "" : ", ") + f.info.name + ": " + value;
    }
    return "{" + text + "}";
  }

 private:
  std::deque<Field> fields_;
  std::vector<std::function<void(const P&, const Node&, Reader&)>> checks_;
};

// Each parameter struct specialises this.
template <class P>
Schema<P> schema();

template <class P>
void Schema<P>::read(const Node& map, P& out, Reader& reader, const std::vector<std::string>& taken,
                     const std::function<std::string(const std::string&)>& unknown) const {
  if (!map.is_map()) return detail::expected(map, "a map", reader);
  const std::size_t before = reader.problems().size();
  std::vector<std::string> allowed;
  for (const Field& f : fields_) allowed.push_back(f.info.name);
  for (const Node::Entry& entry : map.entries) {
    const auto is = [&](const std::string& name) { return name == entry.key; };
    if (std::any_of(taken.begin(), taken.end(), is)) continue;
    if (std::any_of(allowed.begin(), allowed.end(), is)) continue;
    const Reader::Scope scope(reader, entry.key);
    std::string message = unknown ? unknown(entry.key) : std::string();
    if (message.empty()) message = unknown_key_message(entry.key, allowed);
    reader.problem(entry.where, message);
  }
  for (const Field& f : fields_) {
    const Node* value = map.find(f.info.name);
    const Reader::Scope scope(reader, f.info.name);
    const bool absent = value == nullptr || (value->is_null() && f.info.rules.none_word.empty());
    if (!absent) {
      f.read(*value, f.info, out, reader);
    } else if (f.info.required) {
      std::string message = "required";
      if (!f.info.rules.words.empty()) {
        message += "; write one of ";
        for (const std::string& w : f.info.rules.words) {
          message += (&w == f.info.rules.words.data() ? "" : ", ") + w;
        }
      } else if (!f.info.why_required.empty()) {
        message += f.info.why_required.starts_with("by ") ? " " : "; ";
        message += f.info.why_required;
      }
      reader.problem(map.where, message);
    }
  }
  if (reader.problems().size() != before) return;
  for (const auto& rule : checks_) rule(out, map, reader);
}

}  // namespace skiff
