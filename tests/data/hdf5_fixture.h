// Writes small files in TensorFlow Federated's HDF5 layout.
#pragma once

#include <hdf5.h>

#include <string>
#include <vector>

namespace skiff::test {

struct TffClient {
  std::string name;
  std::vector<hsize_t> pixel_dims;  // empty = no pixels
  std::vector<float> pixels;        // empty = nothing is stored
  std::vector<std::int32_t> labels;
  std::string text;  // not empty: a data set of strings of that name as well
};

inline void write_array(hid_t group, const char* name, hid_t type, const std::vector<hsize_t>& dims,
                        const void* values) {
  const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
  const hid_t created = H5Pcreate(H5P_DATASET_CREATE);
  if (values == nullptr) {  // a shape without stored bytes
    std::vector<hsize_t> chunk(dims.size(), 1);
    H5Pset_chunk(created, static_cast<int>(dims.size()), chunk.data());
  }
  const hid_t data = H5Dcreate2(group, name, type, space, H5P_DEFAULT, created, H5P_DEFAULT);
  if (values != nullptr) H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(data);
  H5Pclose(created);
  H5Sclose(space);
}

inline void write_text(hid_t group, const std::string& name) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const char* line = "To be, or not to be";
  write_array(group, name.c_str(), type, {1}, &line);
  H5Tclose(type);
}

inline std::string write_tff(const std::string& path, const std::vector<TffClient>& clients,
                             const char* top = "examples") {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t examples = H5Gcreate2(file, top, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (const TffClient& client : clients) {
    const hid_t group =
        H5Gcreate2(examples, client.name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (!client.pixel_dims.empty()) {
      write_array(group, "pixels", H5T_NATIVE_FLOAT, client.pixel_dims,
                  client.pixels.empty() ? nullptr : client.pixels.data());
    }
    if (!client.labels.empty()) {
      write_array(group, "label", H5T_NATIVE_INT32, {client.labels.size()}, client.labels.data());
    }
    if (!client.text.empty()) write_text(group, client.text);
    H5Gclose(group);
  }
  H5Gclose(examples);
  H5Fclose(file);
  return path;
}

}  // namespace skiff::test
