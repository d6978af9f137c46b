#include "sim/core/convert.h"

#include <fmt/format.h>

#include <cmath>

namespace skiff {
namespace {

std::string found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "\"" + node.text + "\"";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
  return text;
}

std::string range_text(const Rules& rules) {
  const std::string least = fmt::format("{}", rules.least);
  if (std::isinf(rules.most)) return rules.above ? "above " + least : least + " or more";
  return fmt::format("{}..{}", least, rules.most);
}

bool in_range(double value, const Rules& rules, const Node& node, const std::string& text,
              Reader& reader) {
  const bool low = rules.above ? value <= rules.least : value < rules.least;
  if (!low && value <= rules.most) return true;
  std::string message;
  if (std::isinf(rules.most) || (rules.above && low)) {
    message =
        fmt::format("{} is not {}", text,
                    rules.above && low ? fmt::format("above {}", rules.least) : range_text(rules));
  } else {
    message = fmt::format("{} is outside {}", text, range_text(rules));
  }
  if (rules.fraction && value > 1 && value <= 100) {
    message += fmt::format("; did you mean {}%?", value);
  }
  reader.problem(node.where, message);
  return false;
}

}  // namespace

namespace detail {

void expected(const Node& node, const std::string& what, Reader& reader) {
  reader.problem(node.where, fmt::format("expected {}, found {}", what, found(node)));
}

bool fits_in_63_bits(const Node& node, double value, Reader& reader) {
  if (std::abs(value) < 0x1p63) return true;
  reader.problem(node.where, fmt::format("\"{}\" is too large", node.text));
  return false;
}

bool convert_measure(const Node& node, double& out, Dimension dimension, const Rules& rules,
                     Reader& reader) {
  if (!node.is_scalar()) return expected(node, "a value with a unit", reader), false;
  const Measure measure = parse_measure(node.text, dimension, rules.unit);
  if (!measure.problem.empty()) return reader.problem(node.where, measure.problem), false;
  if (!in_range(measure.value, rules, node, "\"" + node.text + "\"", reader)) return false;
  out = measure.value;
  return true;
}

namespace {
bool number_or_measure(const Node& node, double& out, std::optional<Dimension> dimension,
                       const Rules& rules, Reader& reader) {
  return dimension ? convert_measure(node, out, *dimension, rules, reader)
                   : convert(node, out, rules, reader);
}

// The parameters that a law needs, in order: {median: 3 s, sigma: 0.6}.
bool law_parameters(const Node& node, const std::vector<std::string>& names, Distribution& out,
                    std::optional<Dimension> dimension, const Rules& rules, Reader& reader) {
  if (!node.is_map()) return expected(node, "a map with " + joined(names), reader), false;
  bool fine = true;
  for (const Node::Entry& e : node.entries) {
    if (std::find(names.begin(), names.end(), e.key) == names.end()) {
      const Reader::Scope scope(reader, e.key);
      reader.problem(e.where, "unknown key; allowed: " + joined(names));
      fine = false;
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Node* value = node.find(names[i]);
    const Reader::Scope scope(reader, names[i]);
    if (value == nullptr) {
      reader.problem(node.where, "required");
      fine = false;
      continue;
    }
    const bool plain = names[i] == "sigma";
    Rules positive = rules;
    if (plain) positive = Rules{.least = 0};
    fine = number_or_measure(*value, i == 0 ? out.a : out.b, plain ? std::nullopt : dimension,
                             positive, reader) &&
           fine;
  }
  return fine;
}

bool list_values(const Node& node, Distribution& out, std::optional<Dimension> dimension,
                 const Rules& rules, Reader& reader) {
  if (!node.is_list() || node.items.empty()) return expected(node, "a list", reader), false;
  bool fine = true;
  for (const Node& item : node.items) {
    double value = 0;
    fine = number_or_measure(item, value, dimension, rules, reader) && fine;
    out.values.push_back(value);
  }
  return fine;
}
}  // namespace

bool convert_distribution(const Node& node, Distribution& out, std::optional<Dimension> dimension,
                          const Rules& rules, Reader& reader) {
  using Kind = Distribution::Kind;
  if (node.is_scalar()) {
    out = {};
    return number_or_measure(node, out.a, dimension, rules, reader);
  }
  if (!node.is_map() || node.entries.size() != 1) {
    expected(node, "a value or one of lognormal, exponential, uniform, list", reader);
    return false;
  }
  const Node::Entry& law = node.entries.front();
  const Reader::Scope scope(reader, law.key);
  Distribution read;
  bool fine = false;
  if (law.key == "lognormal") {
    read.kind = Kind::kLognormal;
    fine = law_parameters(law.value, {"median", "sigma"}, read, dimension, rules, reader);
  } else if (law.key == "exponential") {
    read.kind = Kind::kExponential;
    fine = law_parameters(law.value, {"mean"}, read, dimension, rules, reader);
  } else if (law.key == "uniform") {
    read.kind = Kind::kUniform;
    fine = list_values(law.value, read, dimension, rules, reader);
    if (fine && (read.values.size() != 2 || read.values[0] > read.values[1])) {
      reader.problem(law.value.where, "expected [low, high]");
      return false;
    }
    if (fine) read.a = read.values[0], read.b = read.values[1];
  } else if (law.key == "list") {
    read.kind = Kind::kList;
    fine = list_values(law.value, read, dimension, rules, reader);
  } else {
    reader.problem(law.where, "unknown law; allowed: lognormal, exponential, uniform, list");
  }
  if (fine) out = std::move(read);
  return fine;
}

}  // namespace detail

bool convert(const Node& node, bool& out, const Rules&, Reader& reader) {
  if (node.is_scalar() && !node.quoted && (node.text == "true" || node.text == "false")) {
    out = node.text == "true";
    return true;
  }
  return detail::expected(node, "true or false", reader), false;
}

bool convert(const Node& node, std::int64_t& out, const Rules& rules, Reader& reader) {
  const std::string what =
      rules.none_word.empty() ? "a whole number" : "a whole number or " + rules.none_word;
  if (!node.is_scalar() || node.quoted) return detail::expected(node, what, reader), false;
  const std::optional<double> value = parse_number(node.text);
  if (!value || *value != std::floor(*value)) return detail::expected(node, what, reader), false;
  if (!in_range(*value, rules, node, node.text, reader)) return false;
  if (std::abs(*value) < 0x1p53) {
    out = static_cast<std::int64_t>(*value);
    return true;
  }
  try {  // too large for an exact double: digits only
    std::size_t used = 0;
    out = std::stoll(node.text, &used);
    if (used == node.text.size()) return true;
  } catch (const std::exception&) {
  }
  return detail::expected(node, "a whole number below 2^63", reader), false;
}

bool convert(const Node& node, int& out, const Rules& rules, Reader& reader) {
  std::int64_t value = 0;
  if (!convert(node, value, rules, reader)) return false;
  const Rules limits{.least = -2147483648.0, .most = 2147483647.0};
  if (!in_range(static_cast<double>(value), limits, node, node.text, reader)) return false;
  out = static_cast<int>(value);
  return true;
}

bool convert(const Node& node, double& out, const Rules& rules, Reader& reader) {
  const std::string what = rules.fraction ? "a fraction such as 0.15 or 15%" : "a number";
  if (!node.is_scalar() || node.quoted) return detail::expected(node, what, reader), false;
  const bool percent = rules.fraction && node.text.ends_with('%');
  const std::optional<double> value =
      parse_number(std::string_view(node.text).substr(0, node.text.size() - (percent ? 1 : 0)));
  if (!value) return detail::expected(node, what, reader), false;
  const double number = percent ? *value / 100 : *value;
  if (!in_range(number, rules, node, node.text, reader)) return false;
  out = number;
  return true;
}

bool convert(const Node& node, std::string& out, const Rules& rules, Reader& reader) {
  if (!node.is_scalar()) return detail::expected(node, "a word", reader), false;
  const auto& words = rules.words;
  if (!words.empty() && std::find(words.begin(), words.end(), node.text) == words.end()) {
    const std::string near = nearest_word(node.text, words);
    reader.problem(node.where, fmt::format("\"{}\" unknown; {}allowed: {}", node.text,
                                           near.empty() ? "" : "did you mean \"" + near + "\"? ",
                                           joined(words)));
    return false;
  }
  out = node.text;
  return true;
}

bool convert(const Node& node, FilePath& out, const Rules&, Reader& reader) {
  if (!node.is_scalar()) return detail::expected(node, "a file", reader), false;
  const std::string path = reader.find_file(node.text);
  if (path.empty()) {
    reader.problem(node.where,
                   fmt::format("\"{}\" not found; looked in {}", node.text, reader.searched()));
    return false;
  }
  out = {path, node.text};
  return true;
}

bool convert(const Node& node, Node& out, const Rules&, Reader&) {
  out = node;
  return true;
}

std::string print_value(bool v) { return v ? "true" : "false"; }
std::string print_value(std::int64_t v) { return fmt::format("{}", v); }
std::string print_value(int v) { return fmt::format("{}", v); }
std::string print_value(double v) { return fmt::format("{}", v); }
std::string print_value(const std::string& v) { return v; }
std::string print_value(const FilePath& v) { return v.written; }
std::string print_value(const Node& v) { return to_flow_text(v); }

std::string print_distribution(const Distribution& d, std::optional<Dimension> dimension) {
  const auto one = [&](double v) {
    return dimension ? print_measure(v, *dimension) : print_value(v);
  };
  switch (d.kind) {
    case Distribution::Kind::kConstant:
      return one(d.a);
    case Distribution::Kind::kLognormal:
      return fmt::format("{{lognormal: {{median: {}, sigma: {}}}}}", one(d.a), d.b);
    case Distribution::Kind::kExponential:
      return fmt::format("{{exponential: {{mean: {}}}}}", one(d.a));
    case Distribution::Kind::kUniform:
      return fmt::format("{{uniform: [{}, {}]}}", one(d.a), one(d.b));
    case Distribution::Kind::kList: {
      std::string text;
      for (const double v : d.values) text += (text.empty() ? "" : ", ") + one(v);
      return fmt::format("{{list: [{}]}}", text);
    }
  }
  return "";
}

}  // namespace skiff
