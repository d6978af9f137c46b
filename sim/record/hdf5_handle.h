// A thin layer over HDF5's C interface: handles that close themselves, failures as exceptions with
// the reason that HDF5 knows, attributes, small datasets. Nothing is ever printed.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/record/table.h"

namespace skiff::hdf5 {

// What HDF5 said when a call failed: "No space left on device".
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws the Failure of the last call.
[[noreturn]] void fail(std::string_view doing);

// The result of a call, or its Failure.
template <class Result>
Result checked(Result result, std::string_view doing) {
  if (result < 0) fail(doing);
  return result;
}

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close, std::string_view doing) : id_(checked(id, doing)), close_(close) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() { reset(); }

  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  // Closes now; false if that failed.
  bool reset() {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id < 0 || close_(id) >= 0;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

// Keeps the library from printing. Cheap; called by all that opens a file.
void silence();

std::size_t size_of_file(hid_t file);

hid_t native_type(NumberType type);

Handle create_group(hid_t file, const std::string& path);

// Attributes are replaced if they exist.
void put_attribute(hid_t object, const char* name, const std::string& text);
void put_attribute(hid_t object, const char* name, const std::vector<std::string>& texts);
void put_attribute(hid_t object, const char* name, std::int64_t number);
void put_attribute(hid_t object, const char* name, double number);

// A one-dimensional dataset of names, and one of numbers, written at once. A scale is the
// coordinate of the dimension that bears its name.
Handle put_names(hid_t group, const std::string& name, const std::vector<std::string>& names,
                 bool scale);
Handle put_numbers(hid_t group, const ColumnSpec& column, const void* values, std::size_t count,
                   bool scale);
// A dimension without a coordinate, as netCDF-4 writes it; takes no space.
Handle put_dimension(hid_t group, const std::string& name, std::size_t size);
void make_scale(hid_t dataset, const std::string& dimension);
void attach_scale(hid_t dataset, hid_t scale, unsigned axis);

// units, long_name, flag_values and flag_meanings.
void describe(hid_t dataset, const ColumnSpec& column);

}  // namespace skiff::hdf5
