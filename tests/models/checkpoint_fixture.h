// What the tests of checkpoints share: files made byte by byte, and what a broken one is told.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "algorithms/models/checkpoint.h"
#include "sim/core/error.h"
#include "tests/real_data.h"
#include "tests/scratch_folder.h"

namespace skiff::testing {

using test::real_data;
using Folder = test::ScratchFolder;

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
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
