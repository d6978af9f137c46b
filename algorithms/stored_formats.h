// The formats of stored values by name, so that what arrays() and parameters() said of a tensor
// makes it anew when a file is read.
//
// A format registers itself before main:
//   [[maybe_unused]] const bool registered = register_stored_format("affine", make_affine);
#pragma once

#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/model.h"

namespace skiff {

// What a file holds of one tensor of rows x cols values.
struct StoredParts {
  int rows = 0, cols = 0;
  Node parameters;
  std::vector<StoredArray> arrays;

  // The elements of an array; throws std::invalid_argument if it is missing, of another type, or
  // does not have `count` of them.
  template <class T>
  std::vector<T> array(std::string_view name, std::string_view type, std::size_t count) const {
    const StoredArray& found = checked(name, type, count * sizeof(T));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), found.bytes.data(), count * sizeof(T));
    return values;
  }
  const StoredArray* find(std::string_view name) const;  // null if absent
  // A parameter; throws std::invalid_argument unless it is a whole number within the bounds.
  std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most) const;
  std::string word(std::string_view key) const;

 private:
  const StoredArray& checked(std::string_view name, std::string_view type, std::size_t bytes) const;
};

using MakeStoredValues = StoredValuesPtr (*)(const StoredParts& parts);
bool register_stored_format(std::string name, MakeStoredValues make);
// Throws std::invalid_argument for an unknown format and for parts that it cannot be.
StoredValuesPtr make_stored_values(std::string_view format, const StoredParts& parts);

// An array for a file from elements in memory.
template <class T>
StoredArray stored_array(std::string name, std::string type, std::span<const T> values) {
  std::vector<std::byte> bytes(values.size_bytes());
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return {std::move(name), std::move(type), std::move(bytes)};
}
Node map_of(std::vector<std::pair<std::string, std::string>> scalars);

}  // namespace skiff
