#include "sim/record/hdf5_handle.h"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <cstring>
#include <numeric>

#include "sim/record/join.h"

namespace skiff::hdf5 {
namespace {

// How netCDF-4 marks a dimension that has no variable.
constexpr std::string_view kNoVariable = "This is a netCDF dimension but not a netCDF variable";

// Innermost first: takes the operating system's words where there are some.
herr_t read_reason(unsigned level, const H5E_error2_t* error, void* reason) {
  auto& text = *static_cast<std::string*>(reason);
  const std::string_view said = error->desc == nullptr ? "" : error->desc;
  constexpr std::string_view kMark = "error message = '";
  if (const auto at = said.find(kMark); at != std::string_view::npos) {
    const auto words = said.substr(at + kMark.size());
    text = words.substr(0, words.find('\''));
    return 1;  // enough
  }
  if (level == 0) text = said;
  return 0;
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "making a text type");
  checked(H5Tset_size(type.get(), H5T_VARIABLE), "making a text type");
  checked(H5Tset_cset(type.get(), H5T_CSET_UTF8), "making a text type");
  return type;
}

Handle scalar_space() { return {H5Screate(H5S_SCALAR), H5Sclose, "making a scalar"}; }

Handle line_space(std::size_t count) {
  const hsize_t n = count;
  return {H5Screate_simple(1, &n, nullptr), H5Sclose, "making a line"};
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> list;
  for (const std::string& t : texts) list.push_back(t.c_str());
  return list;
}

void put(hid_t object, const char* name, const Handle& type, const Handle& space,
         const void* data) {
  if (checked(H5Aexists(object, name), name) > 0) checked(H5Adelete(object, name), name);
  const Handle attribute(
      H5Acreate2(object, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose, name);
  checked(H5Awrite(attribute.get(), type.get(), data), name);
}

// At the end of the process the library closes what is open, and after a failed close (a broken
// disk) it crashes there. We close everything ourselves. Has to come before its first use.
[[maybe_unused]] const herr_t no_clean_up = H5dont_atexit();

Handle copy_of(hid_t type) { return {H5Tcopy(type), H5Tclose, "copying a type"}; }

}  // namespace

void fail(std::string_view doing) {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, read_reason, &reason);
  if (reason.empty()) reason = std::string(doing) + " failed";
  throw Failure(reason);
}

void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

std::size_t size_of_file(hid_t file) {
  hsize_t size = 0;
  checked(H5Fget_filesize(file, &size), "asking for the size");
  return size;
}

hid_t native_type(NumberType type) {
  switch (type) {
    case NumberType::kU1:
      return H5T_NATIVE_UINT8;
    case NumberType::kU2:
      return H5T_NATIVE_UINT16;
    case NumberType::kU4:
      return H5T_NATIVE_UINT32;
    case NumberType::kU8:
      return H5T_NATIVE_UINT64;
    case NumberType::kI4:
      return H5T_NATIVE_INT32;
    case NumberType::kF4:
      return H5T_NATIVE_FLOAT;
    case NumberType::kF8:
      return H5T_NATIVE_DOUBLE;
  }
  return H5I_INVALID_HID;
}

Handle create_group(hid_t file, const std::string& path) {
  return {H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, path};
}

void put_attribute(hid_t object, const char* name, const std::string& text) {
  const char* data = text.c_str();
  put(object, name, text_type(), scalar_space(), &data);
}

void put_attribute(hid_t object, const char* name, const std::vector<std::string>& texts) {
  put(object, name, text_type(), line_space(texts.size()), pointers(texts).data());
}

void put_attribute(hid_t object, const char* name, std::int64_t number) {
  put(object, name, copy_of(H5T_NATIVE_INT64), scalar_space(), &number);
}

void put_attribute(hid_t object, const char* name, double number) {
  put(object, name, copy_of(H5T_NATIVE_DOUBLE), scalar_space(), &number);
}

Handle put_names(hid_t group, const std::string& name, const std::vector<std::string>& names,
                 bool scale) {
  const Handle type = text_type();
  const Handle space = line_space(names.size());
  Handle dataset(H5Dcreate2(group, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT,
                            H5P_DEFAULT),
                 H5Dclose, name);
  if (!names.empty()) {
    checked(
        H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers(names).data()),
        name);
  }
  if (scale) make_scale(dataset.get(), name);
  return dataset;
}

Handle put_numbers(hid_t group, const ColumnSpec& column, const void* values, std::size_t count,
                   bool scale) {
  const hid_t type = native_type(column.type);
  const Handle space = line_space(count);
  Handle dataset(H5Dcreate2(group, column.name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT,
                            H5P_DEFAULT),
                 H5Dclose, column.name);
  if (count > 0) {
    checked(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), column.name);
  }
  describe(dataset.get(), column);
  if (scale) make_scale(dataset.get(), column.name);
  return dataset;
}

Handle put_dimension(hid_t group, const std::string& name, std::size_t size) {
  const Handle space = line_space(size);
  Handle dataset(H5Dcreate2(group, name.c_str(), H5T_IEEE_F32BE, space.get(), H5P_DEFAULT,
                            H5P_DEFAULT, H5P_DEFAULT),
                 H5Dclose, name);
  make_scale(dataset.get(), fmt::format("{}{:10}", kNoVariable, size));
  return dataset;
}

void make_scale(hid_t dataset, const std::string& dimension) {
  checked(H5DSset_scale(dataset, dimension.c_str()), dimension);
}

void attach_scale(hid_t dataset, hid_t scale, unsigned axis) {
  checked(H5DSattach_scale(dataset, scale, axis), "attaching a dimension");
}

void describe(hid_t dataset, const ColumnSpec& column) {
  put_attribute(dataset, "long_name", column.long_name);
  if (!column.units.empty()) put_attribute(dataset, "units", column.units);
  if (column.words.empty()) return;
  std::vector<std::uint32_t> values(column.words.size());
  std::iota(values.begin(), values.end(), 0u);
  // CF wants the flag values in the type of the column.
  const Handle type = copy_of(native_type(column.type));
  std::vector<std::byte> packed(values.size() * sizeof(std::uint32_t));
  std::memcpy(packed.data(), values.data(), packed.size());
  checked(
      H5Tconvert(H5T_NATIVE_UINT32, type.get(), values.size(), packed.data(), nullptr, H5P_DEFAULT),
      "flag_values");
  put(dataset, "flag_values", type, line_space(values.size()), packed.data());
  put_attribute(dataset, "flag_meanings", join(column.words, " "));
}

}  // namespace skiff::hdf5
