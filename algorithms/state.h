// All that an algorithm remembers between rounds: named arrays, zero on first use.
//
// A State belongs to one owner (a client, the server, one optimizer) and is used by one thread at a
// time. Algorithms write no serialisation code: save and load keep every array bit by bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/core/error.h"
#include "sim/core/units.h"

namespace skiff {

class State {
 public:
  // The array of that name with n elements, zeros if it is new. The span stays valid until the
  // array is erased or the State ends. Asking with another type or length is a bug.
  template <class T>
  std::span<T> array(std::string_view name, std::size_t n) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16);
    Array& a = find_or_add(name, sizeof(T), n * sizeof(T));
    return {reinterpret_cast<T*>(a.data.data()), n};
  }
  bool has(std::string_view name) const;
  void erase(std::string_view name);
  bool empty() const { return arrays_.empty(); }

  // The greatest value so far of something that runs report; no part of what is remembered:
  // neither counted nor saved. NaN if nothing was noted.
  void note(std::string_view name, double value);
  double noted(std::string_view name) const;

  Bytes bytes() const;  // of the arrays' contents
  std::string save() const;
  static State load(std::string_view text);  // throws DataError if it is not what save() made

 private:
  struct Array {
    std::string name;
    std::size_t element = 0;  // bytes of one element
    std::vector<std::byte> data;
  };
  Array& find_or_add(std::string_view name, std::size_t element, std::size_t bytes);
  std::vector<Array> arrays_;  // sorted by name
  std::vector<std::pair<std::string, double>> notes_;
};

}  // namespace skiff
