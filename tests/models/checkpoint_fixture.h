// What the tests of checkpoints share: files made byte by byte, and what a broken one is told.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "algorithms/models/checkpoint.h"
#include "sim/core/error.h"

namespace skiff::testing {

// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "skiff-model-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::string path_;
};

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// $SKIFF_DATA/name, or ../shared/data/name beside the repository; "" if it is not there.
inline std::string real_file(const std::string& name) {
  const char* data = std::getenv("SKIFF_DATA");
  const char* source = std::getenv("SKIFF_SOURCE");
  std::string folder = data != nullptr ? data : "";
  if (folder.empty()) folder = std::string(source != nullptr ? source : ".") + "/../shared/data";
  const std::string path = folder + "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

template <class T>
std::string raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}
template <class T>
std::string raw_all(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline std::string safetensors(const std::string& header, const std::string& values) {
  return raw(std::uint64_t{header.size()}) + header + values;
}

// What opening the bytes (and reading every tensor) is told, without the folder's name.
inline std::string complaint(const std::string& name, const std::string& bytes) {
  const Folder folder;
  try {
    const CheckpointPtr checkpoint = open_checkpoint(folder.write(name, bytes));
    for (const CheckpointTensor& t : checkpoint->tensors()) {
      std::vector<float> values(static_cast<std::size_t>(t.elements()));
      t.read(values);
    }
  } catch (const DataError& error) {
    return std::string(error.what()).substr(folder.path("").size());
  }
  return "nothing was refused";
}

}  // namespace skiff::testing
