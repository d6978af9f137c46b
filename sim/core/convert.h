// From a node of a document to a typed value: one overload of `convert` a type.
//
// Each reports what is wrong to the Reader, in the user's words, and answers whether `out` was set.
// Rules are what a schema says about the field: its range, its words, the word that means "none".
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/core/distribution.h"
#include "sim/core/parse_units.h"
#include "sim/core/reader.h"
#include "sim/core/units.h"

namespace skiff {

struct Rules {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above = false;              // `least` itself is not allowed
  bool fraction = false;           // "15%" may be written; ranges are said in fractions
  std::vector<std::string> words;  // the allowed words; empty = any
  std::string none_word;           // "all", "none", "full": stands for an empty optional
  std::string unit;                // to suggest where a unit is missing
};

struct FilePath {
  std::string path;     // where it was found; a stem may stand for NAME_train*, NAME_test*
  std::string written;  // as the user wrote it
};

// Names of types for messages and docs: "int", "bytes", "dist of rate", "list of int".
template <class T>
struct TypeName;

bool convert(const Node&, bool& out, const Rules&, Reader&);
bool convert(const Node&, std::int64_t& out, const Rules&, Reader&);
bool convert(const Node&, int& out, const Rules&, Reader&);
bool convert(const Node&, double& out, const Rules&, Reader&);
bool convert(const Node&, std::string& out, const Rules&, Reader&);
bool convert(const Node&, FilePath& out, const Rules&, Reader&);
bool convert(const Node&, Node& out, const Rules&, Reader&);  // kept as it is, read later

namespace detail {
bool convert_measure(const Node&, double& out, Dimension, const Rules&, Reader&);
bool convert_distribution(const Node&, Distribution& out, std::optional<Dimension>, const Rules&,
                          Reader&);
bool fits_in_63_bits(const Node&, double value, Reader&);
void expected(const Node&, const std::string& what, Reader&);  // "expected a map, found ..."
}  // namespace detail

template <class Q>
struct DimensionOf;
#define SKIFF_DIMENSION(Q, dimension_, name)                  \
  template <>                                                 \
  struct DimensionOf<Q> {                                     \
    static constexpr Dimension value = Dimension::dimension_; \
  };                                                          \
  template <>                                                 \
  struct TypeName<Q> {                                        \
    static std::string get() { return name; }                 \
  }
SKIFF_DIMENSION(Bytes, kBytes, "bytes");
SKIFF_DIMENSION(BytesPerSecond, kRate, "rate");
SKIFF_DIMENSION(Seconds, kTime, "time");
SKIFF_DIMENSION(Joules, kEnergy, "energy");
SKIFF_DIMENSION(Watts, kPower, "power");
SKIFF_DIMENSION(PerSecond, kHazard, "per time");
SKIFF_DIMENSION(FlopsPerSecond, kFlopRate, "speed");
#undef SKIFF_DIMENSION

template <class Tag, class Rep>
bool convert(const Node& node, Quantity<Tag, Rep>& out, const Rules& rules, Reader& reader) {
  double value = 0;
  using Q = Quantity<Tag, Rep>;
  if (!detail::convert_measure(node, value, DimensionOf<Q>::value, rules, reader)) return false;
  if constexpr (std::is_integral_v<Rep>) {
    if (!detail::fits_in_63_bits(node, value, reader)) return false;
    value += value < 0 ? -0.5 : 0.5;
  }
  out = Q(static_cast<Rep>(value));
  return true;
}

inline bool convert(const Node& node, Distribution& out, const Rules& rules, Reader& reader) {
  return detail::convert_distribution(node, out, std::nullopt, rules, reader);
}
template <class Q>
bool convert(const Node& node, DistributionOf<Q>& out, const Rules& rules, Reader& reader) {
  return detail::convert_distribution(node, out.distribution, DimensionOf<Q>::value, rules, reader);
}

template <class T>
bool convert(const Node& node, std::optional<T>& out, const Rules& rules, Reader& reader) {
  if (node.is_null() ||
      (node.is_scalar() && !rules.none_word.empty() && node.text == rules.none_word)) {
    out.reset();
    return true;
  }
  T value{};
  if (!convert(node, value, rules, reader)) return false;
  out = std::move(value);
  return true;
}

template <class T>
bool convert(const Node& node, std::vector<T>& out, const Rules& rules, Reader& reader) {
  if (!node.is_list()) return detail::expected(node, "a list such as [a, b]", reader), false;
  std::vector<T> values;
  bool fine = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Reader::Scope scope(reader, "[" + std::to_string(i) + "]");
    T value{};
    fine = convert(node.items[i], value, rules, reader) && fine;
    values.push_back(std::move(value));
  }
  if (fine) out = std::move(values);
  return fine;
}

// A map with free keys, in the order written.
template <class T>
bool convert(const Node& node, std::vector<std::pair<std::string, T>>& out, const Rules& rules,
             Reader& reader) {
  if (!node.is_map()) return detail::expected(node, "a map", reader), false;
  std::vector<std::pair<std::string, T>> values;
  bool fine = true;
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key);
    T value{};
    fine = convert(entry.value, value, rules, reader) && fine;
    values.emplace_back(entry.key, std::move(value));
  }
  if (fine) out = std::move(values);
  return fine;
}

#define SKIFF_TYPE_NAME(T, name)              \
  template <>                                 \
  struct TypeName<T> {                        \
    static std::string get() { return name; } \
  }
SKIFF_TYPE_NAME(bool, "bool");
SKIFF_TYPE_NAME(int, "int");
SKIFF_TYPE_NAME(std::int64_t, "int");
SKIFF_TYPE_NAME(double, "number");
SKIFF_TYPE_NAME(std::string, "word");
SKIFF_TYPE_NAME(FilePath, "file");
SKIFF_TYPE_NAME(Node, "map");
SKIFF_TYPE_NAME(Distribution, "dist");
#undef SKIFF_TYPE_NAME
template <class Q>
struct TypeName<DistributionOf<Q>> {
  static std::string get() { return "dist of " + TypeName<Q>::get(); }
};
template <class T>
struct TypeName<std::optional<T>> {
  static std::string get() { return TypeName<T>::get(); }
};
template <class T>
struct TypeName<std::vector<T>> {
  static std::string get() { return "list of " + TypeName<T>::get(); }
};
template <class T>
struct TypeName<std::vector<std::pair<std::string, T>>> {
  static std::string get() { return "map of " + TypeName<T>::get(); }
};

// How a default is printed in docs and by --print-config, in words that convert() reads back.
std::string print_value(bool);
std::string print_value(std::int64_t);
std::string print_value(int);
std::string print_value(double);
std::string print_value(const std::string&);
std::string print_value(const FilePath&);
std::string print_value(const Node&);
std::string print_distribution(const Distribution&, std::optional<Dimension>);
inline std::string print_value(const Distribution& d) { return print_distribution(d, {}); }
template <class Tag, class Rep>
std::string print_value(Quantity<Tag, Rep> q) {
  return print_measure(static_cast<double>(q.value()), DimensionOf<Quantity<Tag, Rep>>::value);
}
template <class Q>
std::string print_value(const DistributionOf<Q>& d) {
  return print_distribution(d.distribution, DimensionOf<Q>::value);
}
template <class T>
std::string print_value(const std::optional<T>& v) {
  return v ? print_value(*v) : std::string();
}
template <class T>
std::string print_value(const std::vector<T>& values) {
  std::string text;
  for (const T& v : values) text += (text.empty() ? "" : ", ") + print_value(v);
  return "[" + text + "]";
}
template <class T>
std::string print_value(const std::vector<std::pair<std::string, T>>& values) {
  std::string text;
  for (const auto& [k, v] : values) text += (text.empty() ? "" : ", ") + k + ": " + print_value(v);
  return "{" + text + "}";
}

}  // namespace skiff
