// A number of the catalogue with where it comes from: {value: 8 GiB, source: ..., confidence:
// high}.
//
// Every number of a profile is Sourced: a profile without a source, or with a number missing, is
// refused; nothing is ever taken as 0. Value type, thread-safe.
#pragma once

#include <string>

#include "sim/core/convert.h"

namespace skiff {

// high: the vendor's or a measured figure; medium: derived, or quoted by a second source; low: an
// assumption, good to a factor of two.
enum class Confidence : std::uint8_t { kHigh, kMedium, kLow };

std::string print_value(Confidence);

template <class T>
struct Sourced {
  T value{};
  std::string source;  // the full citation
  Confidence confidence = Confidence::kLow;
};

namespace detail {
// Checks the map around a sourced value and reads all but the value; null if it cannot be read.
const Node* read_provenance(const Node& node, std::string& source, Confidence& confidence,
                            Reader& reader);
}  // namespace detail

template <class T>
bool convert(const Node& node, Sourced<T>& out, const Rules& rules, Reader& reader) {
  Sourced<T> read;
  const Node* value = detail::read_provenance(node, read.source, read.confidence, reader);
  if (value == nullptr) return false;
  const Reader::Scope scope(reader, "value");
  if (!convert(*value, read.value, rules, reader)) return false;
  out = std::move(read);
  return true;
}
template <class T>
struct TypeName<Sourced<T>> {
  static std::string get() { return TypeName<T>::get(); }
};
template <class T>
std::string print_value(const Sourced<T>& s) {
  return s.source.empty() ? std::string() : print_value(s.value);
}

}  // namespace skiff
